from .calls import Call, Fusion
from .catalog import CatalogList, CatalogModel, FavouriteModel
from .credentials import Credential, credentials_named
from .files import File, FileBringer, RunFile, RunPicture
from .links import ShareLink
from .money import Hold, Purse, Window
from .order import DailyWork, LookedAt, RunDeletion, RunMark, RunTag
from .own_presets import OwnPreset, PresetVersion
from .presets import Preset, PresetPanelist
from .projects import Project, ProjectFile
from .prompts import PromptTemplate, PromptVersion
from .research import SourceText
from .runs import Run, Visibility
from .search import SearchEntry, SearchFill, SearchStale
from .site import Heartbeat, InstallClaim, Seed, SiteChoices
from .tokens import ApiToken
from .traits import ModelTrait, traits_known, traits_learned
from .verdicts import Verdict

__all__ = [
    "ApiToken",
    "Call",
    "CatalogList",
    "CatalogModel",
    "Credential",
    "DailyWork",
    "FavouriteModel",
    "File",
    "FileBringer",
    "Fusion",
    "Heartbeat",
    "Hold",
    "InstallClaim",
    "LookedAt",
    "ModelTrait",
    "OwnPreset",
    "Preset",
    "PresetPanelist",
    "PresetVersion",
    "Project",
    "ProjectFile",
    "PromptTemplate",
    "PromptVersion",
    "Purse",
    "Run",
    "RunDeletion",
    "RunMark",
    "RunTag",
    "SearchEntry",
    "SearchFill",
    "SearchStale",
    "RunFile",
    "RunPicture",
    "Seed",
    "ShareLink",
    "SiteChoices",
    "SourceText",
    "Verdict",
    "Visibility",
    "Window",
    "credentials_named",
    "traits_known",
    "traits_learned",
]
