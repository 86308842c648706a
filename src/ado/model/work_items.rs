//! Work items: what is read, and what is proposed.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::ids::WorkItemId;
use super::json::{any_id, null_is_default, optional_label, raw_null};
use crate::ado::error::ServiceMessage;

/// A work item with the fields that were asked for; fields without a value are left out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct WorkItem {
    /// Its id.
    pub id: WorkItemId,
    /// Its revision. Link changes leave it as it is.
    pub rev: u32,
    /// Values by reference name.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

/// A work item with all of its fields and its links to other work items.
#[derive(Debug, Clone, Deserialize)]
pub struct LinkedWorkItem {
    /// Its id.
    pub id: WorkItemId,
    /// Its revision. Link changes leave it as it is.
    pub rev: u32,
    /// The object of values by reference name, as the service wrote it; `null` where there was none.
    #[serde(default = "raw_null")]
    pub fields: Box<RawValue>,
    /// Its links of the kinds that are known, in no certain order.
    #[serde(default, rename = "relations", deserialize_with = "links")]
    pub links: Vec<Link>,
}

/// A link from a work item to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// What the other one is to it.
    pub kind: LinkKind,
    /// The other one.
    pub target: WorkItemId,
}

/// What the target of a link is to its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkKind {
    /// Its parent.
    Parent,
    /// A child of it.
    Child,
    /// A test case that tests it.
    TestedBy,
    /// What it tests, as a test case.
    Tests,
    /// Related to it.
    Related,
}

impl LinkKind {
    /// By the reference name of the link's type with its direction (`ado-api.md` §9).
    fn of(rel: &str) -> Option<Self> {
        match rel {
            "System.LinkTypes.Hierarchy-Reverse" => Some(Self::Parent),
            "System.LinkTypes.Hierarchy-Forward" => Some(Self::Child),
            "Microsoft.VSTS.Common.TestedBy-Forward" => Some(Self::TestedBy),
            "Microsoft.VSTS.Common.TestedBy-Reverse" => Some(Self::Tests),
            "System.LinkTypes.Related" => Some(Self::Related),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Relation {
    #[serde(default)]
    rel: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

impl Relation {
    /// The target's id is the last segment of its URL, whose other parts differ from call to call.
    fn link(&self) -> Option<Link> {
        let kind = LinkKind::of(self.rel.as_deref()?)?;
        let path = self.url.as_deref()?.split(['?', '#']).next()?;
        let target = path.trim_end_matches('/').rsplit('/').next()?.parse().ok()?;
        Some(Link { kind, target: WorkItemId(target) })
    }
}

fn links<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<Link>, D::Error> {
    let relations: Vec<Relation> = null_is_default(reader)?;
    Ok(relations.iter().filter_map(Relation::link).collect())
}

/// A work item in the recycle bin. Only the id is sure to be there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletedWorkItem {
    /// Its id.
    #[serde(deserialize_with = "any_id")]
    pub id: WorkItemId,
    /// Name of its type.
    #[serde(default, rename = "type", alias = "Type", deserialize_with = "optional_label")]
    pub type_name: Option<String>,
    /// Its title.
    #[serde(default, alias = "Name", deserialize_with = "optional_label")]
    pub name: Option<String>,
    /// When it was deleted, as the service writes it: local forms such as `1/31/2017 9:21:14 PM` were seen besides ISO ones.
    #[serde(default, alias = "DeletedDate")]
    pub deleted_date: Option<String>,
}

/// Answer of a query: ids only, whatever was selected.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryResult {
    /// The server's time of the query: the next watermark.
    pub as_of: String,
    /// Ids in the order of the query.
    #[serde(rename = "workItems", deserialize_with = "ids")]
    pub ids: Vec<WorkItemId>,
}

#[derive(Deserialize)]
struct Reference {
    id: WorkItemId,
}

fn ids<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<WorkItemId>, D::Error> {
    Ok(Vec::<Reference>::deserialize(reader)?.into_iter().map(|reference| reference.id).collect())
}

/// Changes to a work item, a JSON Patch document. Nothing is changed by it before it is sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Patch(Vec<Operation>);

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Operation {
    op: &'static str,
    path: String,
    value: Value,
}

impl Patch {
    /// No changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field.
    #[must_use]
    pub fn field(mut self, reference_name: &str, value: impl Into<Value>) -> Self {
        // A slash or tilde would be read as part of the path (RFC 6901).
        let name = reference_name.replace('~', "~0").replace('/', "~1");
        self.0.push(Operation { op: "add", path: format!("/fields/{name}"), value: value.into() });
        self
    }

    /// Adds a link, such as `Hyperlink` to a URL.
    #[must_use]
    pub fn relation(mut self, rel: &str, url: &str) -> Self {
        let value = serde_json::json!({ "rel": rel, "url": url });
        self.0.push(Operation { op: "add", path: "/relations/-".to_owned(), value });
        self
    }
}

/// What the rules of the process say to a proposed change. Both mean that scope and permission sufficed, as far as the
/// service checks them before the rules (`ado-api.md` §12 and §14, unconfirmed).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validation {
    /// It would be saved.
    Accepted,
    /// A rule refuses it; the message names the fields.
    RulesViolated(ServiceMessage),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_typed_by_their_direction_and_others_are_left_out() {
        let relation =
            |rel: &str, url: &str| serde_json::json!({"rel": rel, "url": url, "attributes": {"isLocked": false}});
        let item = serde_json::json!({"id": 1, "rev": 2, "fields": {"System.Title": "x"}, "relations": [
            relation("System.LinkTypes.Hierarchy-Reverse", "https://h/o/3f4f/_apis/wit/workItems/10"),
            relation("System.LinkTypes.Hierarchy-Forward", "https://h/o/_apis/wit/workitems/11/"),
            relation("Microsoft.VSTS.Common.TestedBy-Forward", "https://h/o/_apis/wit/workItems/12?x=1"),
            relation("Microsoft.VSTS.Common.TestedBy-Reverse", "https://h/o/_apis/wit/workItems/13"),
            relation("System.LinkTypes.Related", "https://h/o/_apis/wit/workItems/14"),
            relation("System.LinkTypes.Related", "https://h/o/_apis/wit/workItems/none"),
            relation("Hyperlink", "https://example.com/15"),
            relation("ArtifactLink", "vstfs:///Build/Build/16"),
            {"rel": null},
        ]});
        let item: LinkedWorkItem = serde_json::from_str(&item.to_string()).expect("an item");
        let expected = [
            (LinkKind::Parent, 10),
            (LinkKind::Child, 11),
            (LinkKind::TestedBy, 12),
            (LinkKind::Tests, 13),
            (LinkKind::Related, 14),
        ];
        assert_eq!(item.links, expected.map(|(kind, target)| Link { kind, target: WorkItemId(target) }));
        assert_eq!(item.fields.get(), r#"{"System.Title":"x"}"#);
        for bare in [r#"{"id":1,"rev":2}"#, r#"{"id":1,"rev":2,"relations":null}"#] {
            let item: LinkedWorkItem = serde_json::from_str(bare).expect("an item");
            assert_eq!((item.links.as_slice(), item.fields.get()), ([].as_slice(), "null"));
        }
    }

    #[test]
    fn a_deleted_items_id_is_a_number_or_its_text_and_names_have_either_case() {
        let read = |text| serde_json::from_str::<DeletedWorkItem>(text).ok();
        let all = DeletedWorkItem {
            id: WorkItemId(72),
            type_name: Some("Bug".to_owned()),
            name: Some("A bug".to_owned()),
            deleted_date: Some("2015-01-07T18:13:01.807Z".to_owned()),
        };
        let lower = r#"{"id":72,"type":"Bug","name":"A bug","deletedDate":"2015-01-07T18:13:01.807Z","url":"x"}"#;
        assert_eq!(read(lower), Some(all.clone()));
        let upper = r#"{"id":"72","type":"Bug","Name":"A bug","DeletedDate":"2015-01-07T18:13:01.807Z"}"#;
        assert_eq!(read(upper), Some(all));
        assert_eq!(read(r#"{"id":"72"}"#).map(|item| (item.id, item.name)), Some((WorkItemId(72), None)));
        assert_eq!((read("{}"), read(r#"{"id":"x"}"#), read(r#"{"id":-1}"#)), (None, None, None));
    }
}
