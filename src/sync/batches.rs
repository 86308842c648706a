//! Work items read by their ids, some of which may make the service fail: a batch that fails is halved until they are found.

use super::SyncError;
use super::fields::short;
use super::pull::PullReport;
use super::reading::Reading;
use super::records::{Gathered, record};
use crate::ado::model::{WorkItem, WorkItemId};
use crate::ado::{AdoClient, AdoError, Defect, MAX_BATCH, Outage};
use crate::store::{SetAside, SetAsideReason};

/// Most failures of single items before it is the service that fails, not they. An item that fails without its long texts
/// too counts twice.
const MOST_FAILURES: u32 = 200;

/// An id that no item has: the service counts in 31 bits. Reading it shows whether batches are answered at all.
const NOBODY: WorkItemId = WorkItemId(i32::MAX.unsigned_abs());

/// A read by ids.
pub struct Batches<'a> {
    reading: Reading<'a>,
    client: AdoClient,
    failures: u32,
}

impl<'a> Batches<'a> {
    /// Nothing is asked yet.
    pub fn new(reading: Reading<'a>) -> Self {
        Self { client: reading.patient_client(), reading, failures: 0 }
    }

    /// Reads items with all fields. One that can only be read without its long texts comes without them and is set aside; one
    /// that cannot be read at all is only set aside. Ids that are in neither list are absent, or hidden from the identity.
    ///
    /// All of it is in memory at once: callers give at most [`MAX_BATCH`] ids.
    ///
    /// Errors: those of the service, if it is not certain items that fail.
    pub async fn read(&mut self, ids: &[WorkItemId], report: &mut PullReport) -> Result<Gathered, SyncError> {
        let all: Vec<&str> = self.reading.fields.iter().map(String::as_str).collect();
        let answered = self.ask(ids, &all, report).await?;
        let failed: Vec<WorkItemId> = answered.set_aside.iter().map(|aside| WorkItemId(aside.id.get())).collect();
        let mut gathered = answered.into_gathered();
        for id in failed {
            let alone = self.read_short(&[id], report).await?;
            gathered.records.extend(alone.records);
        }
        Ok(gathered)
    }

    /// Reads items without their long texts; otherwise as [`Self::read`].
    pub async fn read_short(&mut self, ids: &[WorkItemId], report: &mut PullReport) -> Result<Gathered, SyncError> {
        let fields = short(self.reading.fields);
        Ok(self.ask(ids, &fields, report).await?.into_gathered())
    }

    async fn ask(
        &mut self,
        ids: &[WorkItemId],
        fields: &[&str],
        report: &mut PullReport,
    ) -> Result<Answered, SyncError> {
        let mut answered = Answered::default();
        let mut left: Vec<&[WorkItemId]> = ids.chunks(MAX_BATCH).rev().collect();
        while let Some(part) = left.pop() {
            match self.request(part, fields, report).await {
                Ok(items) => answered.items.extend(items),
                Err(SyncError::Ado(error)) => match reason(&error) {
                    None => return Err(error.into()),
                    Some(reason) => {
                        self.blame(part, reason, error, fields, report).await?;
                        if let [id] = part {
                            answered.set_aside.push(SetAside { id: id.0.into(), reason });
                        } else {
                            let (first, second) = part.split_at(part.len() / 2);
                            left.extend([second, first]);
                        }
                    }
                },
                Err(error) => return Err(error),
            }
        }
        Ok(answered)
    }

    async fn request(
        &self,
        ids: &[WorkItemId],
        fields: &[&str],
        report: &mut PullReport,
    ) -> Result<Vec<WorkItem>, SyncError> {
        self.reading.check_permission().await?;
        report.requests += 1;
        Ok(self.client.work_items(&self.reading.project, ids, fields).await?)
    }

    /// Makes sure that a failure comes from the items that were asked for. The same question about nobody shows whether the
    /// service answers at all; and where too many items fail, it is not they who are to blame.
    async fn blame(
        &mut self,
        part: &[WorkItemId],
        reason: SetAsideReason,
        error: AdoError,
        fields: &[&str],
        report: &mut PullReport,
    ) -> Result<(), SyncError> {
        match reason {
            // That was an answer.
            SetAsideReason::TooLarge => return Ok(()),
            SetAsideReason::Unreadable => drop(self.request(&[NOBODY], fields, report).await?),
        }
        self.failures += u32::from(part.len() == 1);
        if self.failures <= MOST_FAILURES { Ok(()) } else { Err(outage(error, &self.client).into()) }
    }
}

/// What batches brought.
#[derive(Debug, Default)]
struct Answered {
    items: Vec<WorkItem>,
    set_aside: Vec<SetAside>,
}

impl Answered {
    fn into_gathered(self) -> Gathered {
        let mut gathered = Gathered { records: Vec::with_capacity(self.items.len()), set_aside: self.set_aside };
        for item in self.items {
            gathered.take(record(item.id, item.rev, item.fields));
        }
        gathered
    }
}

/// Why an item is set aside that alone fails with this error; None if no item can be to blame.
pub fn reason(error: &AdoError) -> Option<SetAsideReason> {
    match error {
        AdoError::TooLarge { .. } => Some(SetAsideReason::TooLarge),
        AdoError::Unavailable { outage: Outage::Status(_) | Outage::Cut, .. }
        | AdoError::Malformed { defect: Defect::Empty | Defect::NotJson | Defect::Shape, .. }
        | AdoError::Deadline { .. }
        | AdoError::BadRequest(_) => Some(SetAsideReason::Unreadable),
        AdoError::Unavailable { outage: Outage::Dns | Outage::Connect, .. }
        | AdoError::Malformed { defect: Defect::Redirect | Defect::ForeignPage | Defect::Endless, .. }
        | AdoError::CredentialRefused(_)
        | AdoError::OrganizationNotFound
        | AdoError::Unauthorized { .. }
        | AdoError::Forbidden(_)
        | AdoError::NotFound(_)
        | AdoError::Conflict(_)
        | AdoError::Throttled { .. }
        | AdoError::OrganizationStopped(_)
        | AdoError::VersionNotServed(_)
        | AdoError::InvalidName
        | AdoError::DisallowedHost { .. }
        | AdoError::PrivateAddress { .. }
        | AdoError::Certificate { .. }
        | AdoError::Proxy { .. }
        | AdoError::Setup
        | AdoError::UnknownProxy => None,
    }
}

/// The error of a service that fails for too many items. A refusal would be taken for a verdict about the spec.
fn outage(error: AdoError, client: &AdoClient) -> AdoError {
    match error {
        AdoError::BadRequest(message) => {
            let host = client.organization().host().to_string();
            AdoError::Unavailable { host, outage: Outage::Status(message.status) }
        }
        error => error,
    }
}
