use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::protect;

fn report(id: u32, source: &str) -> String {
    format!(
        "<feedback><report_metadata><org_name>R</org_name><report_id>{id}</report_id><date_range>\
         <begin>1709683200</begin><end>1709769599</end></date_range></report_metadata><policy_published>\
         <domain>example.com</domain><p>none</p></policy_published><record><row><source_ip>{source}</source_ip>\
         <count>3</count><policy_evaluated><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers>\
         <header_from>example.com</header_from></identifiers></record></feedback>"
    )
}

#[test]
fn reports_of_a_folder_become_one_document_in_which_each_counts_once() {
    let folder = TempDir::new().unwrap();
    let reports = folder.path().join("reports");
    fs::create_dir(&reports).unwrap();
    fs::write(reports.join("a.xml"), report(1, "192.0.2.1")).unwrap();
    fs::write(reports.join("b.xml"), report(1, "192.0.2.1")).unwrap();
    fs::write(reports.join("c.xml"), report(2, "2001:db8::1")).unwrap();
    let document = protect(folder.path(), &["email", "reports", "reports", "--json"]).good();
    let [first, second] = document["reports"].as_array().unwrap().as_slice() else {
        panic!("{document}");
    };
    assert_eq!(first["file"], "reports/a.xml");
    assert_eq!(first["records"][0]["source_ip"], "192.0.2.1");
    assert_eq!(second["metadata"]["report_id"], "2");
    assert_eq!(
        document["duplicates"],
        json!([{"file": "reports/b.xml", "contradicts": false}])
    );
    let summary = &document["summary"];
    assert_eq!(summary["records_read"], 3);
    assert_eq!(summary["records"], 2);
    assert_eq!(summary["domains"][0]["messages"], 6);

    let shown = protect(folder.path(), &["email", "reports", "reports"]);
    assert_eq!(shown.status, 0, "{shown:?}");
    for words in ["example.com", "192.0.2.1", "2001:db8::/64", "next:"] {
        assert!(shown.out.contains(words), "{words}: {}", shown.out);
    }
}

#[test]
fn what_cannot_be_read_is_named_with_its_place_and_the_rest_is_read() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.xml"), "<html></html>").unwrap();
    fs::write(folder.path().join("b.xml"), report(1, "mail.example.com")).unwrap();
    fs::write(folder.path().join("c.xml"), report(2, "192.0.2.1")).unwrap();
    let ran = protect(folder.path(), &["email", "reports", ".", "--json"]);
    assert_eq!(ran.status, 3, "{ran:?}");
    let document = ran.json();
    assert_eq!(document["complete"], false);
    let error = &document["errors"][0];
    assert_eq!(error["file"], "./a.xml");
    assert_eq!(error["place"], "byte 0");
    let issue = &document["reports"][0]["issues"]["listed"][0];
    assert_eq!(issue["place"]["element"], "row/source_ip");
    assert_eq!(issue["problem"], "not_an_address");
    let kept: Vec<&Value> = document["reports"][1]["records"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert_eq!(kept.len(), 1);

    let shown = protect(folder.path(), &["email", "reports", "."]);
    assert_eq!(shown.status, 3, "{shown:?}");
    for words in ["a.xml", "web page", "row/source_ip", "is not an IP address"] {
        assert!(shown.out.contains(words), "{words}: {}", shown.out);
    }
    let missing = protect(folder.path(), &["email", "reports", "nowhere"]);
    assert_eq!(missing.status, 2, "{missing:?}");
    assert!(missing.err.contains("nowhere"), "{missing:?}");
}
