from .augment.augment import Augment as Augment
from .augment.augmented_store import augmented_store as augmented_store
from .figures.picture import colourise as colourise
from .figures.picture import composite as composite
from .sources.source import read_source as read_source
from .sources.windows import Cut as Cut
from .splits.audit import Audit as Audit
from .splits.audit import audit as audit
from .splits.plan import SplitPlan as SplitPlan
from .splits.split import Split as Split
from .splits.split import make_split as make_split
from .store.store import ChipStore as ChipStore
from .store.table import ChipRecord as ChipRecord
from .store.writer import StoreWriter as StoreWriter
from .synth.write import write_synth as write_synth

__version__: str
