//! The rate limit model of the cloud service (`ado-api.md` §4), in the unit of its headers (TSTU).

use std::collections::HashMap;

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A limit as an identity sees it. Each request costs `cost`; at zero the service answers 429.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// TSTU allowed (`X-RateLimit-Limit`).
    pub limit: u32,
    /// TSTU left (`X-RateLimit-Remaining`).
    pub remaining: u32,
    /// TSTU that each request takes; 0 keeps `remaining` as it is.
    #[serde(default)]
    pub cost: u32,
    /// Seconds until use would be back to zero (`X-RateLimit-Reset`, and `Retry-After` of a 429).
    pub reset_seconds: u32,
}

/// Limits in force: one for everybody, copied per identity at its first request, and single ones.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    common: Option<RateLimit>,
    by_identity: HashMap<Uuid, RateLimit>,
}

impl RateLimits {
    /// Sets (or with `None` removes) the limit of one identity, or of everybody.
    pub fn set(&mut self, identity: Option<Uuid>, limit: Option<RateLimit>) {
        match (identity, limit) {
            (Some(id), Some(limit)) => {
                self.by_identity.insert(id, limit);
            }
            (Some(id), None) => {
                self.by_identity.remove(&id);
            }
            (None, limit) => {
                self.common = limit;
                self.by_identity.clear();
            }
        }
    }

    /// Charges one request of `identity`; true where nothing was left for it.
    pub fn charge(&mut self, identity: Uuid) -> bool {
        if !self.by_identity.contains_key(&identity) {
            let Some(common) = self.common.clone() else { return false };
            self.by_identity.insert(identity, common);
        }
        let Some(limit) = self.by_identity.get_mut(&identity) else { return false };
        let exhausted = limit.remaining < limit.cost;
        limit.remaining = limit.remaining.saturating_sub(limit.cost);
        exhausted
    }

    /// The headers of an answer to `identity` at the Unix time `now`; `None` where no limit is modelled.
    pub fn headers(&self, identity: Uuid, now: i64) -> Option<HeaderMap> {
        let limit = self.by_identity.get(&identity).or(self.common.as_ref())?;
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-resource", http::HeaderValue::from_static("Core/Usage/User"));
        headers.insert("x-ratelimit-limit", limit.limit.into());
        headers.insert("x-ratelimit-remaining", limit.remaining.into());
        headers.insert("x-ratelimit-reset", (now + i64::from(limit.reset_seconds)).into());
        if limit.remaining < limit.cost {
            headers.insert(http::header::RETRY_AFTER, limit.reset_seconds.into());
        }
        Some(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_limit_is_spent_by_each_identity_for_itself() {
        let mut limits = RateLimits::default();
        limits.set(None, Some(RateLimit { limit: 200, remaining: 2, cost: 1, reset_seconds: 30 }));
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let verdicts: Vec<bool> = (0..3).map(|_| limits.charge(one)).collect();
        assert_eq!(verdicts, [false, false, true]);
        assert!(!limits.charge(other));
        assert_eq!(limits.headers(one, 100).unwrap()["x-ratelimit-reset"], "130");
        limits.set(None, None);
        assert!(!limits.charge(one) && limits.headers(one, 0).is_none());
    }
}
