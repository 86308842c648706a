//! Which file systems may hold the database.

use std::fmt;
use std::path::Path;

/// A file system on which the store refuses to open.
///
/// SQLite needs three things of a file system: locks that every opener sees, memory shared between its connections
/// (the write-ahead log's index), and flushes that reach the disk. Network and cluster file systems lack at least one
/// ("How To Corrupt An SQLite Database File", §2; "Write-Ahead Logging", §1).
///
/// FUSE is refused as a whole. Behind its one number stand harmless local ones, but also object stores and remote
/// folders that report a flush as done when it was not, and the kernel does not tell which. A block device volume is
/// available wherever Kubernetes runs. 9p is a network protocol too, and has no coherent shared memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RefusedFileSystem {
    name: &'static str,
}

impl fmt::Display for RefusedFileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// `f_type` of statfs(2) → name. The numbers are from its manual page and from `linux/magic.h`; the last four from the
/// sources of those file systems.
const REFUSED: &[(u32, &str)] = &[
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB 2 or 3"),
    (0x0102_1997, "9p"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS"),
    (0x00C3_6400, "CephFS"),
    (0x7375_7245, "Coda"),
    (0x564C, "NCP"),
    (0x0116_1970, "GFS2"),
    (0x7461_636F, "OCFS2"),
    (0x6573_5546, "a FUSE file system"),
    (0x0BD0_0BD0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0x786F_4256, "a VirtualBox shared folder"),
];

/// What is wrong with a file system of this type, if anything.
pub(super) fn refused(magic: u32) -> Option<RefusedFileSystem> {
    REFUSED.iter().find(|(number, _)| *number == magic).map(|&(_, name)| RefusedFileSystem { name })
}

/// The type of the file system that `folder` lies on; zero where the operating system has no such numbers.
#[cfg(target_os = "linux")]
pub(super) fn magic(folder: &Path) -> std::io::Result<u32> {
    let word = rustix::fs::statfs(folder)?.f_type;
    // The field's width and sign differ between architectures; the number is in the low 32 bits on all of them.
    u32::try_from(word & 0xFFFF_FFFF).map_err(std::io::Error::other)
}

/// The type of the file system that `folder` lies on; zero where the operating system has no such numbers.
#[cfg(not(target_os = "linux"))]
pub(super) fn magic(_folder: &Path) -> std::io::Result<u32> {
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_refused_and_local_ones_are_not() {
        for (magic, name) in [(0x6969, "NFS"), (0xFF53_4D42, "CIFS"), (0x6573_5546, "a FUSE file system")] {
            assert_eq!(refused(magic).map(|found| found.to_string()).as_deref(), Some(name));
        }
        // ext4, xfs, btrfs, tmpfs, overlayfs, zfs
        for magic in [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x2FC1_2FC1] {
            assert_eq!(refused(magic), None, "{magic:#x}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_type_of_a_known_file_system_is_read() {
        assert_eq!(magic(Path::new("/proc")).unwrap(), 0x9FA0);
    }
}
