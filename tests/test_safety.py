"""No code runs from data: no pickle, no unsafe YAML, no eval, no shell."""

from __future__ import annotations

import ast

PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
ERROR = "UnpicklingError"
NEEDS_WEIGHTS_ONLY = ("torch.load", "load_from_checkpoint", "load_state_dict_from_url")
UNSAFE_NAMES = {"eval", "exec", "compile", "__import__"}
UNSAFE_CALLS = {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen"}


def keyword(call, name):
    for item in call.keywords:
        if item.arg == name and isinstance(item.value, ast.Constant):
            return item.value.value
    return None


def unsafe_name(node):
    """Whether a node takes anything but the error type from a module that runs pickles."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PICKLES:
        return {alias.name for alias in node.names} != {ERROR}
    used = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    return used and node.value.id in PICKLES and node.attr != ERROR


def unsafe_call(call):
    name = ast.unparse(call.func)
    if name in UNSAFE_NAMES or name in UNSAFE_CALLS:
        return True
    if name.endswith(NEEDS_WEIGHTS_ONLY) and keyword(call, "weights_only") is not True:
        return True
    unsafe_yaml = name.endswith("YAML") and keyword(call, "typ") == "unsafe"
    return bool(keyword(call, "allow_pickle") or keyword(call, "shell") or unsafe_yaml)


def faults(source):
    for node in ast.walk(source.tree):
        if unsafe_name(node) or (isinstance(node, ast.Call) and unsafe_call(node)):
            yield f"{source.at(node)}: {ast.unparse(node)[:80]}"


def test_no_code_runs_from_data(sources):
    assert [fault for source in sources for fault in faults(source)] == []


def test_planted_faults_are_found(parse):
    planted = [
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text)",
        "YAML(typ='unsafe')",
        "eval(text)",
        "subprocess.run(text, shell=True)",
        "pickle.load(file)",
        "joblib.load(path)",
        "from joblib import load",
    ]
    assert [text for text in planted if not list(faults(parse(text)))] == []


def test_safe_code_passes(parse):
    safe = [
        "model.eval()",
        "torch.load(p, weights_only=True)",
        "np.load(p)",
        "re.compile(r'a')",
        "YAML(typ='safe')",
        "pickle.UnpicklingError",
    ]
    assert list(faults(parse("\n".join(safe)))) == []
