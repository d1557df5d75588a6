//! As much of JSON Schema as the contract's schemas use.

use std::path::PathBuf;

use serde_json::Value as Json;

/// Reads a file of the contract.
pub fn contract(name: &str) -> Json {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/mqtt");
    let path = folder.join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Panics if `form` is not what the schema `name` says.
pub fn assert_keeps(name: &str, form: &Json) {
    let schema = contract(&format!("schemas/{name}"));
    if let Err(why) = check(&schema, &schema, form, "$") {
        panic!("{name}: {why}\n{form:#}");
    }
}

fn is(kind: &str, form: &Json) -> bool {
    match kind {
        "object" => form.is_object(),
        "array" => form.is_array(),
        "string" => form.is_string(),
        "number" => form.is_number(),
        "integer" => form.is_i64() || form.is_u64(),
        "boolean" => form.is_boolean(),
        "null" => form.is_null(),
        other => panic!("unknown type {other}"),
    }
}

fn check(root: &Json, schema: &Json, form: &Json, at: &str) -> Result<(), String> {
    let no = |why: String| Err(format!("{at}: {why}"));
    if let Some(to) = schema["$ref"].as_str() {
        let found = root.pointer(to.strip_prefix('#').unwrap()).expect(to);
        return check(root, found, form, at);
    }
    for any in ["oneOf", "anyOf"] {
        if let Some(schemas) = schema[any].as_array() {
            let all: Vec<_> = (schemas.iter())
                .map(|schema| check(root, schema, form, at))
                .collect();
            if all.iter().all(Result::is_err) {
                return no(format!("none of {any}: {all:?}"));
            }
        }
    }
    match &schema["type"] {
        Json::String(kind) if !is(kind, form) => return no(format!("no {kind}: {form}")),
        Json::Array(kinds) if !kinds.iter().any(|kind| is(kind.as_str().unwrap(), form)) => {
            return no(format!("none of {kinds:?}: {form}"));
        }
        _ => {}
    }
    if schema.get("const").is_some_and(|only| only != form) {
        return no(format!("{form} is not {}", schema["const"]));
    }
    if let Some(among) = schema["enum"].as_array()
        && !among.contains(form)
    {
        return no(format!("{form} is not among {among:?}"));
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), form.as_f64())
        && number < least
    {
        return no(format!("{number} < {least}"));
    }
    if let (Some(most), Some(number)) = (schema["maximum"].as_f64(), form.as_f64())
        && number > most
    {
        return no(format!("{number} > {most}"));
    }
    if let (Some(items), true) = (form.as_array(), schema["items"].is_object()) {
        for (n, item) in items.iter().enumerate() {
            check(root, &schema["items"], item, &format!("{at}[{n}]"))?;
        }
    }
    if let (Some(fields), Some(known)) = (form.as_object(), schema["properties"].as_object()) {
        for key in schema["required"].as_array().unwrap() {
            if !fields.contains_key(key.as_str().unwrap()) {
                return no(format!("{key} is missing"));
            }
        }
        for (key, value) in fields {
            let Some(schema) = known.get(key) else {
                return no(format!("unknown field {key}"));
            };
            check(root, schema, value, &format!("{at}.{key}"))?;
        }
    }
    Ok(())
}
