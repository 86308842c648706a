//! What a person may not have meant, and what Azure DevOps changed since a spec was accepted.

use std::fmt;

/// Releases or sprints.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Side {
    /// Releases.
    Release,
    /// Sprints.
    Sprint,
}

impl Side {
    /// The word for one of them.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Sprint => "sprint",
        }
    }

    /// The field of a spec that names the tier.
    pub const fn tier_field(self) -> &'static str {
        match self {
            Self::Release => "spec.iterationMapping.release.tier",
            Self::Sprint => "spec.iterationMapping.sprint.tier",
        }
    }
}

/// Something that works, and that a person should look at.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Warning {
    /// A source chooses no iteration.
    MatchesNothing {
        /// Of which.
        side: Side,
        /// The source, or the one path of it.
        source: String,
    },
    /// Releases take every iteration that could be a sprint.
    ReleasesTakeAll,
    /// Both sources name an iteration without any `*`.
    NamedTwice {
        /// Its path.
        path: String,
    },
    /// A release stands below a sprint.
    SprintAboveRelease {
        /// Path of the sprint.
        sprint: String,
    },
    /// Records of one kind have the same name.
    EqualNames {
        /// Of which.
        side: Side,
        /// The name.
        name: String,
    },
    /// What an entry means is called otherwise by now.
    Renamed {
        /// The field of the spec.
        field: &'static str,
        /// The name there.
        was: String,
        /// Its present name.
        is: String,
    },
    /// A level stands at another tier than when it was accepted.
    Shifted {
        /// The tier that the spec names.
        was: usize,
        /// Where the level stands.
        is: usize,
    },
    /// Severities are mapped and no type of bugs has one.
    NoSeverity,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MatchesNothing { side, source } => {
                write!(f, "spec.iterationMapping.{}: {source} matches no iteration.", side.as_str())
            }
            Self::ReleasesTakeAll => f.write_str(
                "spec.iterationMapping: every iteration that could be a sprint is a release; write release: {from: None} \
                 if they are sprints.",
            ),
            Self::NamedTwice { path } => write!(
                f,
                "spec.iterationMapping: {path} is named as a release and as a sprint; it is a release only."
            ),
            Self::SprintAboveRelease { sprint } => write!(
                f,
                "spec.iterationMapping: sprint {sprint} stands above a release; items of that release take the sprint's."
            ),
            Self::EqualNames { side, name } => write!(
                f,
                "spec.iterationMapping: several {}s are called {name}; fullPath: true tells them apart.",
                side.as_str()
            ),
            Self::Renamed { field, was, is } => write!(f, "{field}: {was} is called {is} by now."),
            Self::Shifted { was, is } => {
                write!(f, "spec.iterationMapping: what was tier {was} stands at tier {is} by now.")
            }
            Self::NoSeverity => f.write_str("spec.bugMapping.severityMapping: no type of bugs has a severity."),
        }
    }
}

/// Something that an accepted spec names and that is gone.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Gone {
    /// The field of the spec.
    pub field: &'static str,
    /// What it names.
    pub name: String,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} is gone", self.field, self.name)
    }
}
