"""The macros of the public headers that make stages, or read them: what suites hold tests and documents against."""
import glob
import os
import re

FLOW = "generate transform combine parallel window rate collect compose".split()


def stage_macros(src):
    """All with an input, in any header; and those of the vocabulary's own headers that begin with a scope."""
    found = []
    for path in sorted(glob.glob(os.path.join(src, "include", "leat", "*.h"))):
        own = os.path.basename(path)[:-2] in FLOW
        with open(path) as f:
            for name, parameters in re.findall(r"^#define (leat_\w+)\((.*?)\)", f.read(), re.M):
                if re.match(r"s, in\b", parameters) or own and re.match(r"(s|in),", parameters):
                    found.append(name)
    return found
