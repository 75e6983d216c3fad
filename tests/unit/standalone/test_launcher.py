from services.standalone import launcher


def test_numbers_take_seven_bits_a_byte() -> None:
    assert [launcher.vint(n) for n in (0, 127, 128, 300)] == [b"\x00", b"\x7f", b"\x80\x01", b"\xac\x02"]


def test_the_message_has_flags_keystore_settings_and_folders() -> None:
    told = launcher.message({"http.port": "9200", "path.data": ["/a"]}, "/config", "/logs")
    keystore = b"\x31org.elasticsearch.common.settings.KeyStoreWrapper\0\0\0\x07\0\0\0\0"
    settings = b"\x02" + b"\x09http.port\x00\x049200" + b"\x09path.data\x07\x01\x00\x02/a"
    assert told == b"\0\0\0" + keystore + settings + b"\x07/config" + b"\x05/logs"
