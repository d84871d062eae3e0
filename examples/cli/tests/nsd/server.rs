//! NSD, unprivileged, on loopback, with a configuration of its own in a folder that goes away.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

/// A running server.
pub(crate) struct Nsd {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Nsd {
    /// Starts it with the zones `test.` and `com.`, and with `servfail.test.`, whose file is not
    /// there. `None` where it is not installed, aloud.
    pub(crate) fn start(zone: &str) -> Option<Self> {
        let Some(program) = program() else {
            println!("skipped: nsd");
            assert!(std::env::var_os("CI").is_none(), "nsd is not installed");
            return None;
        };
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("test.zone"), zone).unwrap();
        fs::write(path("com.zone"), super::planted::com_zone()).unwrap();
        let config = format!(
            "server:\n ip-address: 127.0.0.1@{port}\n username: \"\"\n chroot: \"\"\n \
             server-count: 1\n zonesdir: \"{}\"\n database: \"\"\n pidfile: \"{}\"\n \
             xfrdfile: \"{}\"\n zonelistfile: \"{}\"\n rrl-ratelimit: 0\n \
             hide-version: yes\nremote-control:\n control-enable: no\n\
             zone:\n name: test\n zonefile: test.zone\n\
             zone:\n name: com\n zonefile: com.zone\n\
             zone:\n name: servfail.test\n zonefile: not-there.zone\n",
            folder.path().display(),
            path("nsd.pid"),
            path("xfrd.state"),
            path("zone.list"),
        );
        fs::write(path("nsd.conf"), config).unwrap();
        let log = fs::File::create(path("nsd.log")).unwrap();
        let process = Command::new(program)
            .args(["-d", "-c", &path("nsd.conf")])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let started = Self {
            process,
            address,
            folder,
        };
        started.wait();
        Some(started)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Until it takes connections.
    fn wait(&self) {
        for _ in 0..200 {
            if TcpStream::connect(self.address).is_ok() {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.path().join("nsd.log"));
        assert!(
            TcpStream::connect(self.address).is_ok(),
            "nsd did not start: {log:?}"
        );
    }
}

impl Drop for Nsd {
    fn drop(&mut self) {
        // It ends its own children when it is asked to, and not when it is killed.
        let id = self.process.id().to_string();
        drop(Command::new("kill").args(["-TERM", &id]).status());
        drop(self.process.wait());
    }
}

fn program() -> Option<PathBuf> {
    let places = ["/usr/sbin/nsd", "/usr/local/sbin/nsd", "/usr/bin/nsd"];
    places.iter().map(PathBuf::from).find(|path| path.exists())
}

/// A port that was free for both a moment ago.
fn free_port() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.local_addr().unwrap().port()
}
