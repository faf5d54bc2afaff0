using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;

namespace Gateway.Tests.Headscale;

public sealed class ApiKeyFormatTests
{
    private const string New = "hskey-api-quHk95u-A9-C-0123456789012345678901234567890123456789012345678901234567890123";

    [Theory]
    [InlineData("quHk95u.01234567890123456789012345678901", "quHk95u")]
    [InlineData(New, "quHk95u-A9-C")]
    public void AKeyIsToldByLength(string key, string prefix) => ApiKeyFormat.PrefixOf(key).Should().Be(prefix);

    [Theory]
    [InlineData("")]
    [InlineData("attacker-key")]
    [InlineData("quHk95u.0123456789012345678901234567890")]
    [InlineData("quHk95u.012345678901234567890123456789012")]
    [InlineData("quHk95 .01234567890123456789012345678901")]
    [InlineData("quHk95u.0123456789012345678901234567890,")]
    [InlineData("HSKEY-API-quHk95u-A9-C-0123456789012345678901234567890123456789012345678901234567890123")]
    [InlineData("hskey-api-quHk95u-A9-C_0123456789012345678901234567890123456789012345678901234567890123")]
    [InlineData("hskey-auth-quHk95u-A9-C-0123456789012345678901234567890123456789012345678901234567890123")]
    [InlineData(New + "0")]
    [InlineData(" " + New)]
    public void AnythingElseIsNoKey(string key) => ApiKeyFormat.PrefixOf(key).Should().BeNull();

    [Theory]
    [InlineData("quHk95u.01234567890123456789012345678901", "quHk95u", true)]
    [InlineData("quHk95u.01234567890123456789012345678901", "quHk95u***", true)]
    [InlineData(New, "hskey-api-quHk95u-A9-C-***", true)]
    [InlineData(New, "hskey-api-quHk95u-A9-D-***", false)]
    [InlineData(New, "***", false)]
    public void AListedPrefixIsRecognised(string key, string listed, bool isSame) =>
        ApiKeyFormat.IsListedAs(key, listed).Should().Be(isSame);
}

public sealed class HeadscaleVersionTests
{
    [Theory]
    [InlineData("v0.29.2", "0.29")]
    [InlineData("0.28.0-beta.1", "0.28")]
    [InlineData("v0.27.1+dirty", "0.27")]
    [InlineData("v0.99.0", "0.99")]
    public void AVersionIsRead(string text, string version) => (HeadscaleVersion.Parse(text)?.ToString()).Should().Be(version);

    [Theory]
    [InlineData("")]
    [InlineData("v1.0.0")]
    [InlineData("unknown")]
    [InlineData("dev")]
    public void AnythingElseIsNoVersion(string text) => HeadscaleVersion.Parse(text).Should().BeNull();

    [Theory]
    [InlineData("v0.99.0", "0.30")]
    [InlineData("v0.20.0", "0.26")]
    public void AnUnknownVersionIsTreatedLikeTheNearestKnown(string text, string like) =>
        HeadscaleVersion.Parse(text)!.Value.Known.ToString().Should().Be(like);
}

public sealed class BodyTextTests
{
    private static readonly BodyModel _create = Bodies.All["create_preauthkey"];

    [Theory]
    [InlineData("""{"user":"5","expiration":"2036-01-01T00:00:00Z"}""", """{"user":"5","expiration":"2036-01-01T00:00:00Z"}""")]
    [InlineData("""  { "expiration" : "2036-01-01T00:00:00Z" , "user" : 5 }  """, """{"user":"5","expiration":"2036-01-01T00:00:00Z"}""")]
    [InlineData("""{"aclTags":["tag:a"],"expiration":"2036-01-01T00:00:00+02:00","reusable":true}""",
        """{"reusable":true,"expiration":"2036-01-01T00:00:00+02:00","aclTags":["tag:a"]}""")]
    public void ABodyIsWrittenAnew(string body, string sent)
    {
        var members = BodyText.Parse(Encoding.UTF8.GetBytes(body), _create, HeadscaleVersion.Newest, out var complaint);

        complaint.Should().Be("");
        Encoding.UTF8.GetString(BodyWriter.Write(members!, _create)).Should().Be(sent);
    }

    [Theory]
    [InlineData("", "not a valid JSON object")]
    [InlineData("null", "not a JSON object")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{\"user\":\"5\"", "not a valid JSON object")]
    [InlineData("{\"user\":\"5\"} x", "not a valid JSON object")]
    [InlineData("{\"user\":\"5\"}{}", "not a valid JSON object")]
    [InlineData("{\"user\":\"5\",}", "not a valid JSON object")]
    [InlineData("{'user':'5'}", "not a valid JSON object")]
    [InlineData("{\"user\":NaN}", "not a valid JSON object")]
    [InlineData("{/**/\"user\":\"5\"}", "not a valid JSON object")]
    [InlineData("{\"user\":\"5\",\"user\":\"1\"}", "'user' twice")]
    [InlineData("{\"USER\":\"5\"}", "a member that Headscale 0.30 does not know")]
    [InlineData("{\"\\u0075ser\":\"5\"}", "a member that Headscale 0.30 does not know")]
    [InlineData("{\"acl_tags\":[]}", "a member that Headscale 0.30 does not know")]
    [InlineData("{\"user\":\"05\"}", "'user' must be an id")]
    [InlineData("{\"user\":\"0x5\"}", "'user' must be an id")]
    [InlineData("{\"user\":-1}", "'user' must be an id")]
    [InlineData("{\"user\":5.0}", "'user' must be an id")]
    [InlineData("{\"user\":1e0}", "'user' must be an id")]
    [InlineData("{\"user\":null,\"user\":\"5\"}", "'user' twice")]
    [InlineData("{\"user\":\"5\",\"expiration\":null}", "Headscale would store a key that has already expired")]
    [InlineData("{\"reusable\":\"true\"}", "'reusable' must be true or false")]
    [InlineData("{\"aclTags\":\"tag:a\"}", "'aclTags' must be a list of strings")]
    [InlineData("{\"aclTags\":[1]}", "'aclTags' must be a list of strings")]
    [InlineData("{\"expiration\":\"tomorrow\"}", "'expiration' must be a time")]
    [InlineData("{\"expiration\":\"2036-01-01\"}", "'expiration' must be a time")]
    [InlineData("{\"user\":\"5\"}", "Headscale would store a key that has already expired")]
    [InlineData("{\"user\":{\"id\":{\"a\":{\"b\":{\"c\":1}}}}}", "'user' must be an id")]
    public void ABadBodyIsNamed(string body, string words)
    {
        BodyText.Parse(Encoding.UTF8.GetBytes(body), _create, HeadscaleVersion.Newest, out var complaint).Should().BeNull();
        complaint.Should().Contain(words);
    }

    [Fact]
    public void BytesThatAreNoTextAreRefused()
    {
        BodyText.Parse(
            "{\"name\":\"\xff\"}"u8.ToArray()[..^3].Concat((byte[])[0xff, (byte)'"', (byte)'}']).ToArray(), Bodies.All["create_user"],
            HeadscaleVersion.Newest, out _)
            .Should().BeNull();
        BodyText.Parse("""{"name":"\ud800"}"""u8, Bodies.All["create_user"], HeadscaleVersion.Newest, out _).Should().BeNull();
    }

    /// <summary>Whatever is accepted says the same to a lenient parser as to this one, before and after.</summary>
    [Fact]
    public void WhatIsSentIsWhatWasRead() => Prop.ForAll<string, string>((name, email) =>
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string?> { ["name"] = name, ["email"] = email ?? "" });
        if (BodyText.Parse(body, Bodies.All["create_user"], HeadscaleVersion.Newest, out _) is { } members)
        {
            using var sent = JsonDocument.Parse(BodyWriter.Write(members, Bodies.All["create_user"]));
            using var read = JsonDocument.Parse(body);
            JsonElement.DeepEquals(read.RootElement, sent.RootElement).Should().BeTrue();
        }
    }).QuickCheckThrowOnFailure();
}

public sealed class QueryTextTests
{
    [Theory]
    [InlineData("a=1&a=2")]
    [InlineData("a=1&%61=2")]
    [InlineData("a=%zz")]
    [InlineData("a=%f")]
    [InlineData("a=%ff")]
    [InlineData("a=1;b=2")]
    [InlineData("&")]
    [InlineData("=1")]
    [InlineData("a=b=c")]
    [InlineData("a=\u00e4")]
    public void AnAmbiguousQueryIsRefused(string query) => QueryText.Parse(query, out _).Should().BeNull();

    [Fact]
    public void WhatIsWrittenReadsTheSame() => Prop.ForAll<string, string>((one, two) =>
    {
        var query = new Dictionary<string, string> { ["a"] = one ?? "", ["b"] = two ?? "" };
        if (query.Values.All(value => !value.Any(char.IsSurrogate)))
        {
            var read = QueryText.Parse(QueryText.Write(query)[1..], out _);
            read!.ToDictionary(pair => pair.Name, pair => pair.Value).Should().Equal(query);
        }
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("/api/v1/node", true)]
    [InlineData("/api/v1/user/1/rename/a%40b", true)]
    [InlineData("/api/../metrics", false)]
    [InlineData("/api/%2e%2e/metrics", false)]
    [InlineData("/api//v1", false)]
    [InlineData("/api/v1/", false)]
    [InlineData("/api/v1/a%2fb", false)]
    [InlineData("/api/v1/a%5cb", false)]
    [InlineData("/api/v1/a%252fb", false)]
    [InlineData("/api/v1/a%zz", false)]
    [InlineData("/api/v1/a;b", false)]
    [InlineData("/api\\v1", false)]
    public void ACanonicalPathIsReadAlikeEverywhere(string path, bool isCanonical) =>
        RawTarget.Parse(path)!.Value.IsCanonical.Should().Be(isCanonical);
}

public sealed class RefusalTests
{
    public static TheoryData<string> Reasons => [.. Enum.GetNames<Reason>()];

    [Theory]
    [MemberData(nameof(Reasons))]
    public void EveryReasonHasAStatusAndWords(string name)
    {
        var reason = Enum.Parse<Reason>(name);

        (Refusals.StatusOf(reason) < 400).Should().Be(reason is Reason.Allowed or Reason.PassedThrough);
        Refusals.TextOf(new(reason, "viewer", Capability.WriteMachines)).Should().NotBeEmpty();
    }
}
