"""Packages of a build, as `make deb` makes them."""
import glob
import os
import shutil
import subprocess


def package(build, version=None):
    """The path of this build's .deb; with another version number if asked."""
    folder = os.path.join(os.path.abspath(build), "packages", version or "own")
    shutil.rmtree(folder, ignore_errors=True)
    other = ["-D", f"CPACK_DEBIAN_PACKAGE_VERSION={version}"] if version else []
    done = subprocess.run(["cpack", "-B", folder, *other], cwd=build, check=False, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise AssertionError(done.stdout)
    return glob.glob(f"{folder}/*.deb")[0]
