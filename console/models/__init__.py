from .credentials import Credential
from .presets import Preset, PresetPanelist
from .runs import Call, Fusion, Run, Visibility
from .site import Heartbeat, InstallClaim, Seed
from .tokens import ApiToken

__all__ = [
    "ApiToken",
    "Call",
    "Credential",
    "Fusion",
    "Heartbeat",
    "InstallClaim",
    "Preset",
    "PresetPanelist",
    "Run",
    "Seed",
    "Visibility",
]
