"""What counts as data in a folder, and in which order it is listed."""

from agri_core.files.folders import files_below, files_in, natural, walk
from agri_core.files.hints import hint, nearest
from agri_core.files.junk import is_disposable, is_junk

JUNK = (
    ".hidden.png", "._a1.png", "Thumbs.db", ".ipynb_checkpoints/a1.png", "__MACOSX/._a1.png",
    "@eaDir/a1.png", ".git/x/a1.png",
)  # fmt: skip


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_junk_is_left_out_wherever_it_lies(tmp_path):
    make(tmp_path, *JUNK, "a10.png", "a2.PNG", "sub/a1.png", "notes.txt")
    names = [path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path, (".png",))]
    assert names == ["a2.PNG", "a10.png", "sub/a1.png"]
    assert [path.name for path in files_in(tmp_path, (".png",))] == ["a2.PNG", "a10.png"]
    assert [path.name for path in files_below(tmp_path)] == [
        "a2.PNG", "a10.png", "notes.txt", "a1.png",
    ]  # fmt: skip


def test_a_folder_that_is_hidden_itself_may_be_listed(tmp_path):
    make(tmp_path, ".cache/a.png")
    assert len(files_below(tmp_path / ".cache")) == 1
    assert files_below(tmp_path / "none") == files_in(tmp_path / "none") == []


def test_a_dead_link_is_listed_and_a_folder_with_an_ending_is_not(tmp_path):
    make(tmp_path, "whole.tif")
    (tmp_path / "dead.tif").symlink_to(tmp_path / "gone.tif")
    (tmp_path / "folder.tif").mkdir()
    assert [path.name for path in files_in(tmp_path, (".tif",))] == ["dead.tif", "whole.tif"]
    assert [path.name for path in files_below(tmp_path, (".tif",))] == ["dead.tif", "whole.tif"]


def test_an_earlier_output_is_skipped(tmp_path):
    make(tmp_path, "a.png", "out/b.png", "out/deep/c.png", "other/out/d.png")
    assert list(walk(tmp_path, tmp_path / "out")) == ["a.png", "other/out/d.png"]


def test_a_hidden_file_is_no_data_and_yet_no_junk_to_remove():
    assert is_junk(".env") and not is_disposable(".env")
    assert is_junk(".DS_Store") and is_disposable(".DS_Store")
    assert not is_junk("a/b.png") and not is_disposable("b.png")


def test_natural_order_is_by_number():
    assert natural(["t10/a", "t2/b", "t2/a"]) == ["t2/a", "t2/b", "t10/a"]


def test_the_nearest_word_whatever_its_case():
    assert nearest("CLASS", ["area", "class"]) == "class"
    assert nearest("clas", ["Class"]) == "Class"
    assert nearest("zzz", ["class"]) == nearest("class", []) == ""
    assert hint("clas", ["class"]) == ", did you mean 'class'?"
