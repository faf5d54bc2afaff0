using Dapper;
using Gateway.Identity;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Gateway.Users;
using Microsoft.Data.Sqlite;

namespace Gateway.Tests.Cli;

/// <summary>What is taken over from Headplane, and what is not.</summary>
public sealed class ImportTests
{
    private const string Issuer = "https://id.example.com";

    [Fact]
    public async Task PeopleRolesAndLinksThatHoldAreTakenOver()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        headscale.Tailnet.Users.AddRange(
            [new(1, "alice", "", $"{Issuer}/sub-alice"), new(2, "local", ""), new(3, "bob", "", $"{Issuer}/sub-bob")]);
        using var folder = new TemporaryFolder();
        var database = Headplane(folder,
            ("sub-alice", "owner", "1"), ("proxy:carl", "viewer", "2"), ("sub-eve", "admin", "3"), ("sub-dan", "auditor", null),
                ("sub-fay", "gone-role", "99"));
        var config = Config(folder, headscale);

        var dry = await Verb.RunAsync("import", "headplane", "--database", database, "--config", config, "--dry-run");
        (dry.Exit == 0).Should().BeTrue(dry.Error);
        (await PeopleAsync(folder)).Should().BeEmpty();
        var done = await Verb.RunAsync("import", "headplane", "--database", database, "--config", config);

        (done.Exit == 0).Should().BeTrue(done.Error);
        (await PeopleAsync(folder)).Select(one => (one.Source, one.Issuer, one.Subject, one.Role, one.Link?.HeadscaleUserId)).Should()
            .Equal([
                (Source.Oidc, Issuer, "sub-alice", "owner", "1"), (Source.Proxy, "", "carl", "viewer", "2"),
                (Source.Oidc, Issuer, "sub-eve", "admin", null),
                (Source.Oidc, Issuer, "sub-dan", "auditor", null), (Source.Oidc, Issuer, "sub-fay", "member", null),
            ]);
        done.Output.Should().Contain("somebody else");
        (await Verb.RunAsync("import", "headplane", "--database", database, "--config", config)).Output.Should().Contain("there already");
        (await PeopleAsync(folder)).Count.Should().Be(5);
    }

    [Fact]
    public async Task ASecondOwnerBecomesAdminAndAnIssuerThatIsNotKnownIsSaid()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var config = Config(folder, headscale, oidc: false);
        (await Verb.RunAsync("users", "add", "--source", "proxy", "--subject", "boss", "--role", "owner", "--config", config)).Exit.Should()
            .Be(0);

        var result = await Verb.RunAsync(
            "import", "headplane", "--database", Headplane(folder, ("proxy:old-boss", "owner", null), ("sub-x", "viewer", null)),
            "--config", config);

        result.Output.Should().Contain("set oidc.issuer first");
        (await PeopleAsync(folder)).Select(one => (one.Subject, one.Role)).Should().Equal([("boss", "owner"), ("old-boss", "admin")]);
    }

    [Theory]
    [InlineData("", "is not Headplane's database")]
    [InlineData("create table users (id text primary key, sub text)", "before 0.6")]
    public async Task WhatIsNotHeadplanesIsNotRead(string schema, string complaint)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "other.db");
        using (var connection = new SqliteConnection($"Data Source={file};Pooling=false"))
        {
            connection.Open();
            connection.Execute(schema.Length > 0 ? schema : "create table other (x)");
        }

        var result = await Verb.RunAsync("import", "headplane", "--database", file);

        result.Exit.Should().Be(1);
        result.Error.Should().Contain(complaint);
    }

    [Fact]
    public async Task TheRolesOfTheFirstHeadplanesWereBits()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "hp_persist.db");
        using (var connection = new SqliteConnection($"Data Source={file};Pooling=false"))
        {
            connection.Open();
            connection.Execute("create table users (id text primary key, sub text, caps integer)");
            connection.Execute(
                "insert into users values ('1', 'o', 65535), ('2', 'a', 32767), ('3', 'n', 30015), ('4', 'i', 8171), ('5', 'r', 1323), "
                + "('6', 'm', 0), ('7', 'x', 3)");
        }

        var result = await Verb.RunAsync("import", "headplane", "--database", file, "--config", Config(folder, headscale));

        result.Exit.Should().Be(0, result.Error);
        (await PeopleAsync(folder)).Select(one => $"{one.Subject} {one.Role}").Should().Equal(
            "o owner", "a admin", "n network_admin", "i it_admin", "r auditor", "m member", "x member");
    }

    private static Task<IReadOnlyList<Person>> PeopleAsync(TemporaryFolder folder) => StoredState.ReadPeopleAsync(folder.Path);

    private static string Config(TemporaryFolder folder, HeadscaleStandIn headscale, bool oidc = true) => folder.File("headtower.yaml", $"""
        headscale: {OpenBrace}url: '{headscale.Url.GetLeftPart(UriPartial.Authority)}', api_key: {headscale.ApiKey}{CloseBrace}
        server: {OpenBrace}base_url: 'https://hs.test', data_path: {folder.Path}{CloseBrace}
        {(oidc ? $"oidc: {OpenBrace}issuer: '{Issuer}', client_id: x, client_secret: y{CloseBrace}" : "")}
        """);

    private const string OpenBrace = "{";

    private const string CloseBrace = "}";

    /// <summary>Headplane's table as of 0.6.2 (its migrations 0000 to 0004).</summary>
    private static string Headplane(
        TemporaryFolder folder, params ReadOnlySpan<(string Subject, string Role, string? HeadscaleUser)> people)
    {
        var file = Path.Combine(folder.Path, "hp_persist.db");
        using var connection = new SqliteConnection($"Data Source={file};Pooling=false");
        connection.Open();
        connection.Execute(
            "create table users (id text primary key not null, sub text not null unique, caps integer not null default 0, role text not "
            + "null default 'member', headscale_user_id text unique, created_at integer, updated_at integer, last_login_at integer, "
            + "name text, email text, picture text)");
        var number = 0;
        foreach (var one in people)
        {
            connection.Execute(
                "insert into users (id, sub, role, headscale_user_id, created_at) values (@id, @Subject, @Role, @HeadscaleUser, @number)",
                new { id = $"u{number}", one.Subject, one.Role, one.HeadscaleUser, number = number++ });
        }

        return file;
    }
}
