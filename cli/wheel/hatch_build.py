"""The wheel holds programs of one platform, for any Python 3. Used by cli/wheel/make."""

import sysconfig
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class OfOnePlatform(BuildHookInterface):
    def initialize(self, version, build_data):
        if not Path(self.root, "ktrdrd").is_file():
            raise RuntimeError("nothing is staged here: cli/wheel/make makes the wheel")
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data.update(pure_python=False, tag=f"py3-none-{platform}")
