from .annotate import Options as Options
from .annotate import Outcome as Outcome
from .annotate import make_masks as make_masks
from .diff.diff import compare_files as compare_files
from .formats.conversion import convert_file as convert_file
from .formats.read import read_project as read_project
from .formats.write import write_project as write_project
from .masks.mask import Rules as Rules
from .masks.mask import draw as draw
from .masks.naming import Naming as Naming
from .model.project import Picture as Picture
from .model.project import Problem as Problem
from .model.project import Project as Project
from .model.project import Region as Region
from .vectorise.prelabel import prelabel as prelabel

__version__: str
