//! Takes Swagger UI out of the archive that a crate carries, so that the program can serve it without the internet.
//!
//! The archive's files are compressed as a browser understands it; only the few bytes around them differ. So nothing is
//! unpacked: each file becomes a gzip file, which the page's addresses serve as it is, and the program grows by 0.4 MB
//! instead of 1.7.
use std::{
    env, fs,
    io::{Cursor, Read as _},
    path::Path,
};

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::{CompressionMethod, ZipArchive};

const FILES: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo sets it for every build script.
    let out = env::var_os("OUT_DIR").expect("cargo names the folder of what is made");
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED)).expect("the crate's archive is whole");
    for name in FILES {
        fs::write(Path::new(&out).join(format!("{name}.gz")), gzip(&mut archive, name)).expect("cargo's folder can be written");
    }
}

/// One file of the archive as gzip (RFC 1952): a head, the compressed bytes, a checksum and the length.
fn gzip(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Vec<u8> {
    let end = format!("/dist/{name}");
    let is_it = |path: &str| path.ends_with(&end) && path.matches('/').count() == 2;
    let index =
        (0..archive.len()).find(|index| archive.name_for_index(*index).is_some_and(|path| path.is_ok_and(|path| is_it(&path))));
    let mut file = archive.by_index_raw(index.unwrap_or_else(|| panic!("{name} is missing"))).expect("the archive is whole");
    assert_eq!(file.compression(), CompressionMethod::DEFLATE, "{name} is compressed otherwise");
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    file.read_to_end(&mut bytes).expect("the archive is whole");
    bytes.extend(file.crc32().to_le_bytes());
    bytes.extend(u32::try_from(file.size()).expect("a file of a page has less than 4 GiB").to_le_bytes());
    bytes
}
