use std::collections::BTreeSet;

use super::*;

fn check(url: &str, policy: &UrlPolicy) -> Result<Destination, &'static str> {
    check_url(&Url::parse(url).unwrap(), policy)
}

#[test]
fn inside_addresses_are_refused_in_every_spelling() {
    for url in [
        "https://10.0.0.1/",
        "https://172.31.255.255/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://168.63.129.16/",
        "https://100.100.100.200/",
        "https://0.0.0.0/",
        "https://255.255.255.255/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:8.8.8.8]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://[2002:7f00:1::]/",
        "https://localhost/",
        "https://a.localhost/",
    ] {
        assert!(check(url, &UrlPolicy::default()).is_err(), "{url}");
    }
}

#[test]
fn public_addresses_and_names_pass_with_their_answers_checked() {
    for url in [
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://[64:ff9b::8.8.8.8]/",
        "https://hooks.example/x",
    ] {
        assert_eq!(
            check(url, &UrlPolicy::default()),
            Ok(Destination::Guarded),
            "{url}"
        );
    }
}

#[test]
fn plain_http_and_user_information_are_refused() {
    assert!(check("http://hooks.example/", &UrlPolicy::default()).is_err());
    assert!(check("https://me:secret@hooks.example/", &UrlPolicy::default()).is_err());
    assert!(check("file:///etc/passwd", &UrlPolicy::default()).is_err());
}

#[test]
fn the_allow_list_names_inside_hosts() {
    let policy = UrlPolicy {
        allowed_hosts: BTreeSet::from(["psa.internal.example".to_owned(), "10.1.2.3".to_owned()]),
        allow_loopback: false,
    };
    for url in ["https://psa.internal.example/", "https://10.1.2.3/"] {
        assert_eq!(check(url, &policy), Ok(Destination::Trusted), "{url}");
    }
    assert!(check("http://psa.internal.example/", &policy).is_err());
    assert!(check("https://10.1.2.4/", &policy).is_err());
}

#[test]
fn loopback_needs_the_explicit_setting() {
    let policy = UrlPolicy {
        allow_loopback: true,
        ..UrlPolicy::default()
    };
    assert_eq!(
        check("http://127.0.0.1:8080/", &policy),
        Ok(Destination::Trusted)
    );
    assert!(check("http://127.0.0.1:8080/", &UrlPolicy::default()).is_err());
    assert!(check("https://10.0.0.1/", &policy).is_err());
}

#[tokio::test]
async fn a_name_that_resolves_to_the_inside_is_refused() {
    let name: Name = "localhost".parse().unwrap();
    let Err(refused) = GuardedResolver.resolve(name).await else {
        panic!("a loopback address passed");
    };
    assert!(refused.downcast_ref::<Forbidden>().is_some());
}
