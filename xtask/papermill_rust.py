"""papermill for these notebooks, with its own command line.

papermill knows no Rust, so this teaches it the constants of a parameter cell, and which cells have failed.
"""
import re
import sys

import click
import papermill.execute
from papermill.cli import papermill as main
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

CONSTANT = re.compile(r"^const (\w+): (.+?) = (.+?);[ \t]*(?://[ \t]*(.*))?$", re.MULTILINE)


def rust(value, kind):
    """The value as an expression of that type; nothing where it does not fit."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "bool" and isinstance(value, bool):
        return str(value).lower()
    if kind == "&str" and isinstance(value, str):
        return '"' + re.sub(r'[\\"\x00-\x1f\x7f]', lambda found: f"\\u{{{ord(found[0]):x}}}", value) + '"'
    if kind == "f64" and number and abs(value) <= sys.float_info.max:
        return repr(float(value))
    if whole := re.fullmatch(r"([ui])(8|16|32|64|128|size)", kind):
        bits = 64 if whole[2] == "size" else int(whole[2])
        least, end = (0, 2**bits) if whole[1] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1))
        return str(value) if number and isinstance(value, int) and least <= value < end else None
    if (items := re.fullmatch(r"&\[(.+)\]", kind)) and isinstance(value, list):
        items = [rust(item, items[1]) for item in value]
        return None if None in items else f"&[{', '.join(items)}]"
    return None


class Rust(Translator):
    constants = {}

    def inspect(self, cell):
        """Called first, with the parameter cell: only there stand the types."""
        found = (Parameter(name, kind, value, help) for name, kind, value, help in CONSTANT.findall(cell.source))
        self.constants = {constant.name: constant for constant in found}
        return list(self.constants.values())

    def codify(self, parameters, comment="Parameters"):
        lines = [f"// {comment}"]
        for name, value in parameters.items():
            if name not in self.constants:
                raise click.ClickException(f"there is no parameter {name}; there are: {', '.join(self.constants)}")
            kind, help = self.constants[name].inferred_type_name, self.constants[name].help
            expression = rust(value, kind)
            if expression is None:
                raise click.ClickException(f"`{value}` does not fit {name}: {kind}")
            lines.append(f"const {name}: {kind} = {expression}; // {help}".removesuffix(" // "))
        return "\n".join(lines)


def complain(notebook, output_path):
    """Takes the place of papermill's own check, which takes an error that a cell is there to show for a failure.

    The kernel reports a panic and a failed `?` as success, with text on stderr.
    """
    for cell in notebook.cells:
        outputs = [output for output in cell.get("outputs", []) if wrong(output)]
        if outputs and "raises-exception" not in cell.metadata.get("tags", []):
            said = "".join(output.get("evalue") or output.get("text") for output in outputs).strip()
            raise click.ClickException(f"In [{cell.execution_count}], or the cell before it, failed:\n{said}")


def wrong(output):
    return output.output_type == "error" or output.get("name") == "stderr"


if __name__ == "__main__":
    papermill_translators.register("rust", Rust())
    papermill.execute.raise_for_execution_errors = complain
    main()
