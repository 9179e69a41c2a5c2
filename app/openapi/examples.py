"""The examples of the API's description, built from the schemas with the values of `example_values`."""

from typing import Any

from app.openapi.example_values import FIELDS, ID, NOW
from app.openapi.example_values import MODELS as OWN
from app.openapi.export_examples import EXPORT_MODELS
from app.openapi.fhir_examples import FHIR_MODELS
from app.openapi.programme_examples import PROGRAMME_MODELS

Schema = dict[str, Any]

MODELS = {**OWN, **FHIR_MODELS, **PROGRAMME_MODELS, **EXPORT_MODELS}


def example(schema: Schema, models: dict[str, Schema], field: str = "") -> Any:
    """An example of `schema`; `models` are the description's components, `field` is the name it goes by."""
    model = schema.get("$ref", "").rpartition("/")[2]
    if model:
        named = "" if models[model].get("type") == "object" else field  # its own fields have names
        return MODELS.get(model) or example(models[model], models, named)
    if field in FIELDS and _fits(FIELDS[field], schema):
        return FIELDS[field]
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return example(choices[0], models, field)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    return _by_type(schema, models, field)


def _fits(value: Any, schema: Schema) -> bool:
    """Two models may call different things by one name: a value is taken where it is one of the schema's."""
    if "enum" in schema:
        return value in schema["enum"]
    kinds = {one.get("type") for one in schema.get("anyOf", [schema])} - {None}
    names = {
        str: "string",
        bool: "boolean",
        int: "integer",
        list: "array",
        dict: "object",
        type(None): "null",
    }
    return names[type(value)] in kinds


def _by_type(schema: Schema, models: dict[str, Schema], field: str) -> Any:
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            named = {name: example(one, models, name) for name, one in fields.items()}
            others = schema.get("additionalProperties")
            return named or ({"role": example(others, models)} if isinstance(others, dict) else {})
        case "array":
            return [example(schema["items"], models, field)]
        case "integer":
            return max(1, int(schema.get("minimum", 1)))
        case "number":
            return 1.5
        case "boolean":
            return False
        case _:
            formats = {"uuid": ID, "uuid4": ID, "date-time": NOW, "date": "2026-03-02"}
            return formats.get(schema.get("format", ""), "text")
