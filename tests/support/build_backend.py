"""A build backend (PEP 517, PEP 660) for packages of tests: it needs nothing, and makes only editable wheels, of the
directory src/ beside it. The version is what src/<name>/__init__.py says."""
import os, re, tomllib, zipfile


def project():
    with open("pyproject.toml", "rb") as file:
        return tomllib.load(file)["project"]


def get_requires_for_build_editable(config_settings=None):
    return []


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = project()["name"]
    with open(f"src/{name}/__init__.py") as file:
        version = re.search('__version__ = "(.*)"', file.read())[1]
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {need}\n" for need in project().get("dependencies", []))
    files = {
        f"{name}.pth": os.path.abspath("src") + "\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    wheel = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel
