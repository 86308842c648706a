//! The revisions of an organization's work items in the order of their watermarks, as the reporting feed gives them.

use std::borrow::Cow;

use super::items::{Details, Items, Row};

/// Watermarks that each generated item has for the revisions before its latest; it never has more than that.
const OLDER: u32 = 8;

/// A saved revision.
#[derive(Clone, Copy, Debug)]
struct Entry {
    id: u32,
    rev: u16,
}

/// The log of saved revisions. It only grows; an entry of which the item has a later revision is history.
///
/// Older revisions of generated items are not in it: they come before everything else, in the order of ids, with
/// watermarks that follow from id and revision, and are worked out when they are read.
#[derive(Debug, Default)]
pub(crate) struct RevisionLog {
    /// Items that were generated; their ids come first.
    generated: u32,
    /// The entry at place p has the watermark [`RevisionLog::base`] + p.
    entries: Vec<Entry>,
    /// Places of the entries of each project.
    of_project: Vec<Vec<u32>>,
}

impl RevisionLog {
    /// The log of freshly generated items, one entry each, in the order of their last change.
    pub fn of(rows: &mut [Row]) -> Self {
        let mut order: Vec<(i64, u32)> = rows.iter().zip(0u32..).map(|(row, place)| (row.changed, place)).collect();
        order.sort_unstable();
        let generated = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let mut log = Self { generated, entries: Vec::with_capacity(rows.len()), of_project: Vec::new() };
        for (_, place) in order {
            let row = &mut rows[place as usize];
            row.watermark = log.push(place + 1, row.rev, row.project);
        }
        log
    }

    fn base(&self) -> u32 {
        (self.generated + 1) * OLDER
    }

    /// The watermark of the newest revision.
    pub fn newest(&self) -> u32 {
        self.base() + u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// Adds a revision and gives its watermark.
    pub fn push(&mut self, id: u32, rev: u16, project: u16) -> u32 {
        let place = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push(Entry { id, rev });
        let project = usize::from(project);
        if self.of_project.len() <= project {
            self.of_project.resize_with(project + 1, Vec::new);
        }
        self.of_project[project].push(place);
        self.base() + place
    }

    /// Entries behind a watermark with theirs, of one project or of all.
    fn after(&self, watermark: u32, project: Option<u16>) -> Box<dyn Iterator<Item = (u32, Entry)> + '_> {
        let base = self.base();
        let first = (watermark + 1).saturating_sub(base);
        let entry = move |place: u32| (base + place, self.entries[place as usize]);
        let Some(project) = project else {
            let end = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
            return Box::new((first..end).map(entry));
        };
        let places = self.of_project.get(usize::from(project)).map_or(&[][..], Vec::as_slice);
        let from = places.partition_point(|place| *place < first);
        Box::new(places[from..].iter().map(move |place| entry(*place)))
    }
}

/// A revision of an item.
pub(crate) struct Revision<'a> {
    pub watermark: u32,
    pub id: u32,
    pub row: Cow<'a, Row>,
    pub details: Option<&'a Details>,
    /// When the next revision took its place, in milliseconds of the Unix epoch; `None` for the latest.
    pub replaced: Option<i64>,
}

impl Items {
    /// Revisions behind a watermark, of one project (those made while the item was in it) or of all.
    pub fn revisions_after<'a>(
        &'a self,
        watermark: u32,
        project: Option<u16>,
        latest_only: bool,
    ) -> Box<dyn Iterator<Item = Revision<'a>> + 'a> {
        let saved = self.revisions.after(watermark, project);
        if latest_only {
            return Box::new(saved.filter_map(|(watermark, entry)| self.latest(watermark, entry)));
        }
        let saved = saved
            .filter_map(|(watermark, entry)| self.latest(watermark, entry).or_else(|| self.earlier(watermark, entry)));
        let older = self.older_after(watermark);
        let older = older.filter(move |revision| project.is_none_or(|project| revision.row.project == project));
        Box::new(older.chain(saved))
    }

    /// The revision of an entry, if it is still the item's latest.
    fn latest(&self, watermark: u32, entry: Entry) -> Option<Revision<'_>> {
        let row = self.get(entry.id).filter(|row| row.rev == entry.rev)?;
        let details = self.details(entry.id);
        Some(Revision { watermark, id: entry.id, row: Cow::Borrowed(row), details, replaced: None })
    }

    /// The revision of an entry out of the item's history.
    fn earlier(&self, watermark: u32, entry: Entry) -> Option<Revision<'_>> {
        let history = self.history(entry.id);
        let place = history.iter().position(|before| before.row.rev == entry.rev)?;
        let before = &history[place];
        let next = history.get(place + 1).map(|next| &next.row).or_else(|| self.get(entry.id))?;
        Some(Revision {
            watermark,
            id: entry.id,
            row: Cow::Borrowed(&before.row),
            details: before.details.as_deref(),
            replaced: Some(next.changed),
        })
    }

    /// Revisions of generated items before their latest generated one, in the order of ids.
    fn older_after(&self, watermark: u32) -> impl Iterator<Item = Revision<'_>> {
        let first = (watermark / OLDER).max(1);
        let ids = first..=self.revisions.generated;
        let all = ids.flat_map(|id| {
            let generated = self.history(id).first().map(|before| &before.row).or_else(|| self.get(id));
            generated.into_iter().flat_map(move |row| (1..row.rev).map(move |rev| older(id, row, rev)))
        });
        all.skip_while(move |revision| revision.watermark <= watermark)
    }
}

/// A generated item at an earlier revision: the same but for its date.
fn older(id: u32, row: &Row, rev: u16) -> Revision<'_> {
    let moment = |rev: u16| row.created + (row.changed - row.created) * i64::from(rev - 1) / i64::from(row.rev);
    let replaced = if rev + 1 == row.rev { row.changed } else { moment(rev + 1) };
    let watermark = id * OLDER + u32::from(rev);
    let row = Row { rev, watermark, changed: moment(rev), ..row.clone() };
    Revision { watermark, id, row: Cow::Owned(row), details: None, replaced: Some(replaced) }
}
