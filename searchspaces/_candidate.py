"""A point of a search space, with an identity that survives renaming and reordering."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from searchspaces._architecture import Architecture
from searchspaces._canonical import canonical
from searchspaces._options import Options

FINGERPRINT_VERSION = "v1"


@dataclass(frozen=True)
class Candidate:
    """What a search proposes: an architecture, training settings, system settings (any may be empty).

    `training` overrides the evaluator's settings for this candidate alone.
    """

    architecture: Architecture | None = None
    training: Options = field(default_factory=Options)
    system: Options = field(default_factory=Options)

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the canonical live graph and the settings; equal for isomorphic candidates."""
        content = {
            "architecture": canonical(self.architecture).to_dict() if self.architecture else None,
            "training": self.training.to_dict(),
            "system": self.system.to_dict(),
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return f"{FINGERPRINT_VERSION}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; the inverse of `from_dict`."""
        return {
            "architecture": self.architecture.to_dict() if self.architecture else None,
            "training": self.training.to_dict(),
            "system": self.system.to_dict(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Candidate:
        """Reads what `to_dict` wrote.

        Raises:
            ArchitectureError: the architecture is malformed.
            CandidateError: a setting is not a JSON value.
        """
        architecture = content.get("architecture")
        return cls(
            Architecture.from_dict(architecture) if architecture else None,
            Options(content.get("training") or {}),
            Options(content.get("system") or {}),
        )
