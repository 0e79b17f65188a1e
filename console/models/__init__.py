from .catalog import CatalogList, CatalogModel
from .credentials import Credential
from .money import Hold, Purse, Window
from .presets import Preset, PresetPanelist
from .runs import Call, Fusion, Run, Visibility
from .search import SearchEntry, SearchFill
from .site import Heartbeat, InstallClaim, Seed
from .tokens import ApiToken
from .traits import ModelTrait, traits_known, traits_learned
from .verdicts import Verdict

__all__ = [
    "ApiToken",
    "Call",
    "CatalogList",
    "CatalogModel",
    "Credential",
    "Fusion",
    "Heartbeat",
    "Hold",
    "InstallClaim",
    "ModelTrait",
    "Preset",
    "PresetPanelist",
    "Purse",
    "Run",
    "SearchEntry",
    "SearchFill",
    "Seed",
    "Verdict",
    "Visibility",
    "Window",
    "traits_known",
    "traits_learned",
]
