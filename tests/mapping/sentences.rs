//! The design's sentences on the mapping, each with the smallest project that tells whether it holds. The modules are its
//! paragraphs; the names of the tests are the sentences.

mod disagreement;
mod iterations;
mod tier_sources;
mod tiers_and_bugs;
mod values;

use crate::small::Small;

/// Two releases with sprints, without dates.
const RELEASES: &str = "
R1
  S1
  S2
R2
  S3
";

/// Agile with [`RELEASES`].
fn agile() -> Small {
    Small::new("Agile", RELEASES)
}
