from .credentials import Credential
from .presets import Preset, PresetPanelist
from .runs import Call, Fusion, Run, Visibility
from .site import Heartbeat, InstallClaim, Seed

__all__ = [
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
