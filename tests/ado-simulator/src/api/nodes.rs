//! Classification nodes: areas and iterations (`ado-api.md` §8; recorded in `classification/`).

use serde_json::{Map, Value, json};

use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::project::{Node, Project, Structure};

pub(super) fn list(call: &Call<'_>, world: &World) -> Outcome {
    let project = call.project(world)?;
    let Some(ids) = call.list("ids") else { return roots(call, project) };
    let omit = call.query("errorPolicy").is_some_and(|policy| policy.eq_ignore_ascii_case("omit"));
    let mut values = Vec::new();
    for id in ids {
        match id.parse().ok().and_then(|id: u32| project.nodes.get(&id)) {
            Some(node) => values.push(node_json(call, project, node, depth(call), true)),
            None if omit => values.push(Value::Null),
            None => return Err(missing(id)),
        }
    }
    Ok(Reply::list(&values))
}

/// Both roots; they stand here without links (recorded).
fn roots(call: &Call<'_>, project: &Project) -> Outcome {
    let roots = [project.area_root, project.iteration_root];
    let nodes = roots.iter().filter_map(|id| project.nodes.get(id));
    Ok(Reply::list(&nodes.map(|node| node_json(call, project, node, depth(call), false)).collect::<Vec<_>>()))
}

pub(super) fn get(call: &Call<'_>, world: &World) -> Outcome {
    let project = call.project(world)?;
    let structure = match call.parameter("structureGroup").map(str::to_lowercase).as_deref() {
        Some("areas") => Structure::Area,
        _ => Structure::Iteration,
    };
    let below = call.parameter("path").unwrap_or_default().replace('/', "\\");
    let path = format!("{}\\{}", project.name, below.trim_matches('\\'));
    let node = project.node_of_path(structure, &path).ok_or_else(|| missing(&below))?;
    Ok(Reply::json(&node_json(call, project, node, depth(call), true)))
}

fn missing(name: &str) -> Refusal {
    let message =
        format!("VS402485: The name '{name}' of the area or iteration is not recognized, or you have no access.");
    Refusal::tracking(http::StatusCode::NOT_FOUND, "ClassificationNodeNotFoundException", message)
}

fn depth(call: &Call<'_>) -> usize {
    call.number("$depth").unwrap_or(0)
}

/// A node with `depth` levels below it; nested nodes have no links.
fn node_json(call: &Call<'_>, project: &Project, node: &Node, depth: usize, links: bool) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("id", json!(node.id));
    put("identifier", json!(node.identifier));
    put("name", json!(node.name));
    put("structureType", json!(if node.structure == Structure::Area { "area" } else { "iteration" }));
    put("hasChildren", json!(!node.children.is_empty()));
    if let Some(dates) = dates(node) {
        put("attributes", dates);
    }
    if depth > 0 && !node.children.is_empty() {
        let children = node.children.iter().filter_map(|id| project.nodes.get(id));
        put("children", children.map(|child| node_json(call, project, child, depth - 1, false)).collect());
    }
    put("path", json!(node_path(project, node)));
    let url = node_url(call, project, node);
    if links {
        put("_links", node_links(call, project, node, &url));
    }
    put("url", json!(url));
    Value::Object(members)
}

fn node_links(call: &Call<'_>, project: &Project, node: &Node, url: &str) -> Value {
    let mut links = json!({"self": {"href": url}});
    let parent = node.parent.and_then(|id| project.nodes.get(&id));
    if let (Some(parent), Some(members)) = (parent, links.as_object_mut()) {
        members.insert("parent".to_owned(), json!({"href": node_url(call, project, parent)}));
    }
    links
}

/// Dates are midnight UTC; a node without dates has no attributes (recorded).
fn dates(node: &Node) -> Option<Value> {
    let mut attributes = Map::new();
    for (name, date) in [("startDate", node.start), ("finishDate", node.finish)] {
        if let Some(date) = date {
            attributes.insert(name.to_owned(), json!(format!("{date}T00:00:00Z")));
        }
    }
    (!attributes.is_empty()).then_some(Value::Object(attributes))
}

/// `\Payments\Iteration\Release 1`: with the structure's name behind the project's.
fn node_path(project: &Project, node: &Node) -> String {
    let structure = if node.structure == Structure::Area { "Area" } else { "Iteration" };
    let below = node.path.strip_prefix(&project.name).unwrap_or_default();
    format!("\\{}\\{structure}{below}", project.name)
}

/// The URL of a node: `…/classificationNodes/Iterations/Release%201/Sprint%201`.
pub(super) fn node_url(call: &Call<'_>, project: &Project, node: &Node) -> String {
    let group = if node.structure == Structure::Area { "Areas" } else { "Iterations" };
    let mut url = format!("{}/_apis/wit/classificationNodes/{group}", call.project_base(project));
    for part in node.path.split('\\').skip(1) {
        url.push('/');
        url.push_str(&encode(part));
    }
    url
}

/// Percent-encodes a path segment.
pub(super) fn encode(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}
