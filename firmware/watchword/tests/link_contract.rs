//! The contract in docs/mqtt: its schemas are closed and its examples are
//! what the camera's types read and write.

use std::path::PathBuf;

use serde_json::Value;

fn folder(name: &str) -> Vec<(String, Value)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/mqtt")
        .join(name);
    let files = std::fs::read_dir(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    files
        .map(|file| {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, value)
        })
        .collect()
}

fn example(name: &str) -> Value {
    let all = folder("examples");
    let found = all.into_iter().find(|(n, _)| n == name);
    found.unwrap_or_else(|| panic!("no example {name}")).1
}

/// Every object that a schema describes refuses unknown fields.
fn closed(name: &str, schema: &Value, objects: &mut usize) {
    match schema {
        Value::Object(map) => {
            if map.contains_key("properties") {
                *objects += 1;
                assert_eq!(
                    map.get("additionalProperties"),
                    Some(&Value::Bool(false)),
                    "{name}"
                );
                let required = map["required"]
                    .as_array()
                    .expect("a list of what is required");
                for field in required {
                    let field = field.as_str().unwrap();
                    assert!(map["properties"].get(field).is_some(), "{name}: {field}");
                }
            }
            map.values().for_each(|v| closed(name, v, objects));
        }
        Value::Array(list) => list.iter().for_each(|v| closed(name, v, objects)),
        _ => {}
    }
}

#[test]
fn schemas_are_closed_and_have_an_example() {
    let examples = folder("examples");
    let mut objects = 0;
    for (name, schema) in folder("schemas") {
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        closed(&name, &schema, &mut objects);
        assert!(
            examples.iter().any(|(e, _)| *e == name),
            "{name} has no example"
        );
    }
    assert!(objects >= 20, "{objects}");
}

#[test]
fn an_alert_is_what_the_camera_writes() {
    let form = example("alert");
    let alert: scene::Alert = serde_json::from_value(form.clone()).unwrap();
    let written = serde_json::to_value(&alert).unwrap();
    // The confidence is an f32 and comes back with more digits.
    let rounded = |mut v: Value| {
        let c = v["evidence"]["confidence"].as_f64().unwrap();
        v["evidence"]["confidence"] = ((c * 1e6).round() / 1e6).into();
        v
    };
    assert_eq!(rounded(written), rounded(form));
}

#[test]
fn a_zone_is_what_the_camera_reads() {
    for name in ["zone", "zone-set"] {
        let form = example(name);
        let polygon: scene::Polygon = serde_json::from_value(form["polygon"].clone()).unwrap();
        assert_eq!(polygon.points().len(), 4);
        assert!(scene::Id::new(form["name"].as_str().unwrap()).is_ok());
    }
}
