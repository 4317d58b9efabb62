"""Generates the C functions of CTorch from the operator list.

Reads `ops.txt` and the operator schemas that the torch wheel ships (`torchgen`), and writes
`Sources/CTorch/include/ctorch_ops.h` and `Sources/CTorch/ops.cpp`. With `--check` nothing is
written: the exit status tells whether the files are what a fresh generation gives.

    python3 Tools/bindings/generate.py [--check] [--wheel FOLDER]

FOLDER holds `torch/` and `torchgen/`, as the wheel unpacks; by default the parent of `.libtorch`.
Needs PyYAML.
"""
import argparse
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = ROOT / "Sources/CTorch/include/ctorch_ops.h"
SOURCE = ROOT / "Sources/CTorch/ops.cpp"

# Arguments that always take their default: no layout but strided, pinning by a function of its own.
OMITTED = {"Layout?", "bool?"}

# ATen type (sizes dropped, SymInt read as int) -> (C parameters, C++ argument).
TYPES = {
    "Tensor": ("ct_tensor {n}", "ct::ref({n})"),
    "Tensor?": ("ct_tensor {n}", "ct::optional({n})"),
    "Tensor[]": ("const ct_tensor *{n}, int64_t {n}_count", "ct::tensors({n}, {n}_count)"),
    "Tensor?[]": ("const ct_tensor *{n}, int64_t {n}_count", "ct::optionalTensors({n}, {n}_count)"),
    "Scalar": ("ct_scalar {n}", "ct::scalar({n})"),
    "Scalar?": ("const ct_scalar *{n}", "ct::optional({n})"),
    "int": ("int64_t {n}", "{n}"),
    "int?": ("const int64_t *{n}", "ct::optional({n})"),
    "int[]": ("const int64_t *{n}, int64_t {n}_count", "ct::ints({n}, {n}_count)"),
    "int[]?": ("const int64_t *{n}, int64_t {n}_count", "ct::optionalInts({n}, {n}_count)"),
    "float": ("double {n}", "{n}"),
    "float?": ("const double *{n}", "ct::optional({n})"),
    "float[]?": ("const double *{n}, int64_t {n}_count", "ct::optionalDoubles({n}, {n}_count)"),
    "bool": ("bool {n}", "{n}"),
    "ScalarType": ("int32_t {n}", "ct::dtype({n})"),
    "ScalarType?": ("int32_t {n}", "ct::optionalDtype({n})"),
    "MemoryFormat": ("int32_t {n}", "static_cast<at::MemoryFormat>({n})"),
    "MemoryFormat?": ("int32_t {n}", "ct::optionalFormat({n})"),
    "Device": ("ct_device {n}", "ct::device({n})"),
    "Device?": ("const ct_device *{n}", "ct::optional({n})"),
    "str": ("const char *{n}", "std::string_view({n})"),
    "str?": ("const char *{n}", "ct::optionalString({n})"),
    "Generator?": ("ct_generator {n}", "ct::optional({n})"),
}

RESERVED = {"default", "operator"}


def load_schemas(wheel):
    """Every operator schema of the wheel, by name with overload, with where it can be called."""
    sys.path.insert(0, str(wheel))
    from torchgen.model import FunctionSchema

    path = wheel / "torchgen/packaged/ATen/native/native_functions.yaml"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    schemas = {}
    for entry in yaml.load(path.read_text(), Loader=loader):
        schema = FunctionSchema.parse(entry["func"])
        schemas[str(schema.name)] = (schema, entry.get("variants", "function"))
    return schemas


def read_names():
    lines = (ROOT / "Tools/bindings/ops.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def returns(schema):
    """The C out-parameters, and the statement that fills them, `{}` standing for the call."""
    kinds = [str(r.type) for r in schema.returns]
    if schema.name.name.inplace or not kinds:
        return "", "{};"
    if kinds == ["Tensor"]:
        return "ct_tensor *out", "*out = ct::give({});"
    if kinds == ["Tensor[]"]:
        return "ct_tensors *out", "*out = ct::give({});"
    if set(kinds) == {"Tensor"}:
        outs = ", ".join(f"ct_tensor *out{i}" for i in range(len(kinds)))
        fill = " ".join(f"*out{i} = ct::give(std::get<{i}>(r));" for i in range(len(kinds)))
        return outs, "auto r = {}; " + fill
    raise ValueError(f"{schema.name} returns {kinds}, which has no C form yet")


def function(name, schema, variants):
    """The declaration and the definition of one operator's C function."""
    arguments = []
    for argument in schema.arguments.flat_all:
        kind = re.sub(r"\[\d+\]", "[]", str(argument.type).replace("SymInt", "int"))
        label = argument.name + "_" if argument.name in RESERVED else argument.name
        arguments.append((label, kind))
    for label, kind in arguments:
        if kind not in TYPES and kind not in OMITTED:
            raise ValueError(f"{name}: argument {label} has type {kind}, which has no C form yet")

    outs, fill = returns(schema)
    parameters = [TYPES[kind][0].format(n=n) for n, kind in arguments if kind not in OMITTED]
    values = [
        "std::nullopt" if kind in OMITTED else TYPES[kind][1].format(n=n) for n, kind in arguments
    ]
    base = str(schema.name.name.base) + ("_" if schema.name.name.inplace else "")
    if "function" in variants:
        call = f"at::{base}({', '.join(values)})"
    else:
        position = next(i for i, (n, _) in enumerate(arguments) if n == "self")
        rest = values[:position] + values[position + 1:]
        call = f"{values[position]}.{base}({', '.join(rest)})"
    symbol = "ct_" + name.replace(".", "_").lower()
    signature = f"int32_t {symbol}({', '.join(p for p in [outs, *parameters] if p)})"
    return f"{signature};", f"{signature} {{\n  CT_TRY({fill.format(call)})\n}}"


def generate(wheel):
    schemas = load_schemas(wheel)
    declarations, definitions, includes = [], [], set()
    for name in read_names():
        if name not in schemas:
            raise SystemExit(f"{name} is not an operator of this torch wheel; correct ops.txt")
        schema, variants = schemas[name]
        declaration, definition = function(name, schema, variants)
        declarations.append(declaration)
        definitions.append(definition)
        includes.add(str(schema.name.name.base))
    mark = "// Generated by Tools/bindings/generate.py. Do not edit.\n"
    header = (
        mark + '#pragma once\n#include "ctorch_core.h"\n\nCT_BEGIN\n'
        + "\n".join(declarations) + "\nCT_END\n"
    )
    lines = "\n".join(f"#include <ATen/ops/{name}.h>" for name in sorted(includes))
    source = (
        mark + '#include "internal.h"\n' + lines + '\n#include "ctorch_ops.h"\n\n'
        + "\n\n".join(definitions) + "\n"
    )
    return header, source


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--wheel", type=pathlib.Path, default=(ROOT / ".libtorch").resolve().parent)
    options = parser.parse_args()
    header, source = generate(options.wheel)
    if options.check:
        same = HEADER.read_text() == header and SOURCE.read_text() == source
        if not same:
            sys.exit("The generated files differ: run `python3 Tools/bindings/generate.py`.")
        return
    HEADER.write_text(header)
    SOURCE.write_text(source)
    print(f"{len(read_names())} operators written")


if __name__ == "__main__":
    main()
