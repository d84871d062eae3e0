//! Tells the linker that Node resolves the module's symbols.

fn main() {
    napi_build::setup();
}
