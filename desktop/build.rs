//! Makes the folder of the built page where it is missing, so that a fresh clone compiles, and writes down what the page
//! in the window may call.

use std::error::Error;

/// What `npm run build` fills.
const PAGE: &str = "../ui/dist";

fn main() -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(PAGE)?;
    println!("cargo:rerun-if-changed={PAGE}");
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "window")]
    tauri_build::try_build(tauri_build::Attributes::new())?;
    Ok(())
}
