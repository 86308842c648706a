//! Work items as they are stored, whichever call brought them.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::fields::LONG_TEXTS;
use crate::ado::model::WorkItemId;
use crate::store::{self, Scope, SetAside, SetAsideReason, Store, StoreError, WorkItemRecord};

/// Items to store, and items that are set aside.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Gathered {
    /// Items as far as they could be read.
    pub records: Vec<WorkItemRecord>,
    /// Those that could not be read, or not wholly.
    pub set_aside: Vec<SetAside>,
}

impl Gathered {
    /// Adds an item. One that is over a limit of the store comes without its long texts, or not at all.
    pub fn take(&mut self, mut record: WorkItemRecord) {
        if !record.fits() {
            self.set_aside.push(SetAside { id: record.id, reason: SetAsideReason::TooLarge });
            record.texts = None;
        }
        if record.fits() {
            self.records.push(record);
        }
    }

    /// Stores all of it, and with the last of it where the feed goes on. Gives the number of rows that changed.
    pub async fn store(
        &self,
        store: &Store,
        scope: Scope,
        deleted: &[store::WorkItemId],
        token: Option<&str>,
    ) -> Result<u64, StoreError> {
        if self.set_aside.is_empty() {
            return store.put_revisions(scope, &self.records, deleted, token).await;
        }
        let changed = store.put_revisions(scope, &self.records, deleted, None).await?;
        // Items that are stored count as read, so their marks come after them; and the token, behind which none of it comes
        // again, after the marks.
        store.set_aside(scope, &self.set_aside).await?;
        Ok(changed + store.put_revisions(scope, &[], &[], token).await?)
    }
}

/// A field that is absent or of an odd type is empty; the raw fields are kept beside, in the order of their names, so that the
/// same fields give the same text.
pub fn record(id: WorkItemId, rev: u32, mut fields: Map<String, Value>) -> WorkItemRecord {
    let texts = split_texts(&mut fields);
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let changed: Option<Timestamp> = text("System.ChangedDate").parse().ok();
    WorkItemRecord {
        id: id.0.into(),
        rev,
        work_item_type: text("System.WorkItemType"),
        state: text("System.State"),
        title: text("System.Title"),
        changed_at: changed.map_or(0, Timestamp::as_millisecond),
        fields: Value::Object(fields).to_string(),
        texts,
    }
}

/// Takes the long texts out of an item's fields, as they are stored apart; None if there are none.
pub fn split_texts(fields: &mut Map<String, Value>) -> Option<String> {
    let taken = LONG_TEXTS.iter().filter_map(|name| fields.remove_entry(*name)).filter(|(_, text)| !text.is_null());
    let texts: Map<String, Value> = taken.collect();
    (!texts.is_empty()).then(|| Value::Object(texts).to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(fields: &Value) -> WorkItemRecord {
        record(WorkItemId(7), 3, fields.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn long_texts_are_kept_apart_and_nothing_that_is_no_text() {
        let long =
            json!({"System.Description": "<p>a</p>", "System.Title": "T", "Microsoft.VSTS.TCM.ReproSteps": null});
        let record = of(&long);
        assert_eq!(record.texts.as_deref(), Some(r#"{"System.Description":"<p>a</p>"}"#));
        assert_eq!((record.fields.as_str(), record.title.as_str()), (r#"{"System.Title":"T"}"#, "T"));
        assert_eq!(of(&json!({"Microsoft.VSTS.TCM.ReproSteps": null})).texts, None);
        assert_eq!(of(&json!({})).texts, None);
    }

    #[test]
    fn what_is_of_an_odd_type_is_empty_and_kept_as_it_came() {
        let odd =
            json!({"System.Title": 7, "System.State": null, "System.WorkItemType": ["Bug"], "System.ChangedDate": {}});
        let record = of(&odd);
        assert_eq!((record.title.as_str(), record.state.as_str(), record.work_item_type.as_str()), ("", "", ""));
        assert_eq!((record.changed_at, record.fields), (0, odd.to_string()));
        for (date, expected) in
            [("9999-01-01T00:00:00Z", 253_370_764_800_000), ("0001-01-01T00:00:00Z", -62_135_596_800_000)]
        {
            assert_eq!(of(&json!({"System.ChangedDate": date})).changed_at, expected, "{date}");
        }
    }

    #[test]
    fn an_item_over_a_limit_comes_without_its_texts_or_not_at_all() {
        let mut gathered = Gathered::default();
        let long = "x".repeat(17 << 20);
        gathered.take(of(&json!({"System.Description": long})));
        gathered.take(record(
            WorkItemId(8),
            1,
            Map::from_iter([("System.WorkItemType".to_owned(), json!("t".repeat(600)))]),
        ));
        gathered.take(record(
            WorkItemId(9),
            1,
            Map::from_iter([("System.Title".to_owned(), json!("t".repeat(10_000)))]),
        ));
        let kept: Vec<_> = gathered.records.iter().map(|record| (record.id.get(), record.texts.is_some())).collect();
        assert_eq!(kept, [(7, false), (9, false)]);
        let aside: Vec<_> = gathered.set_aside.iter().map(|aside| (aside.id.get(), aside.reason)).collect();
        assert_eq!(aside, [(7, SetAsideReason::TooLarge), (8, SetAsideReason::TooLarge)]);
    }
}
