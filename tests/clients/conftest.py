"""What cannot be tried on a machine without Go is not collected there."""

import shutil

collect_ignore = [] if shutil.which("go") else ["test_go.py"]
