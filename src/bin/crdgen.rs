//! Writes the CustomResourceDefinitions as YAML, a file a kind, into the folders given as arguments.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for folder in std::env::args_os().skip(1).map(PathBuf::from) {
        std::fs::create_dir_all(&folder)?;
        for (name, yaml) in ado_operator::api::crd_files()? {
            std::fs::write(folder.join(name), yaml)?;
        }
    }
    Ok(())
}
