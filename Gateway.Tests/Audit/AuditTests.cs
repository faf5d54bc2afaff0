using Dapper;
using Gateway.Audit;
using Gateway.Store;
using Gateway.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Gateway.Tests.Audit;

/// <summary>What is written down, and when.</summary>
public sealed class AuditTests
{
    [Fact]
    public async Task AChangeIsInTheAuditBeforeHeadscaleHearsOfIt()
    {
        await using var gateway = await TestGateway.StartAsync();
        var atThatMoment = new List<AuditEntry>();
        gateway.Headscale.Receiving = _ => atThatMoment.AddRange(Read(gateway));

        Assert.Equal(200, (await gateway.CallAsAsync("alice", "DELETE", "/api/v1/node/17")).Status);

        var before = Assert.Single(atThatMoment);
        Assert.Equal(("proxy:alice", "owner", "nodes.delete", "DELETE", "/api/v1/node/17", "allowed"), (before.Actor, before.Role, before.Row, before.Method, before.Path, before.Reason));
        Assert.Null(before.Status);
        var after = Assert.Single(await gateway.StopAndReadAuditAsync());
        Assert.Equal((200, "127.0.0.1"), (after.Status, after.Client));
        Assert.NotNull(after.Duration);
    }

    [Fact]
    public async Task AnAnswerCarriesTheRequestIdOfItsEntryAndSoDoesTheCallToHeadscale()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As("alice");
        using var response = await client.GetAsync(new Uri("/api/v1/node?user=sam", UriKind.Relative));

        var id = Assert.Single(response.Headers.GetValues("X-Request-Id"));
        Assert.Equal(id, Assert.Single(gateway.Headscale.Forwarded).Header("X-Request-Id"));
        var entry = Assert.Single(await gateway.StopAndReadAuditAsync());
        Assert.Equal((id, "/api/v1/node"), (entry.RequestId, entry.Path));
    }

    [Fact]
    public async Task WithoutAnAuditNothingIsChangedAndReadingGoesOn()
    {
        await using var gateway = await TestGateway.StartAsync();
        Assert.Equal(200, (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status);
        gateway.Headscale.Forget();
        using (var breaking = new SqliteConnection($"Data Source={gateway.Configuration.Settings.Store.File}"))
        {
            breaking.Execute("alter table audit rename to gone");
        }

        var (status, text) = await gateway.CallAsAsync("alice", "DELETE", "/api/v1/node/17");

        Assert.Equal(503, status);
        Assert.Contains("audit", text, StringComparison.Ordinal);
        Assert.Empty(gateway.Headscale.Forwarded);
        Assert.Equal(200, (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status);
    }

    [Fact]
    public void OldEntriesGoAndYoungOnesStay()
    {
        using var folder = new TemporaryFolder();
        var store = new SqliteAuditStore(SqliteFile.Open(Path.Combine(folder.Path, "headtower.db")));
        var now = new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);
        store.Write([Entry("old", now.AddDays(-91)), Entry("young", now.AddDays(-89))], []);

        Assert.Equal(1, store.DeleteBefore(now.AddDays(-90)));
        Assert.Equal("young", Assert.Single(store.Read(0, DateTimeOffset.UnixEpoch, 10)).RequestId);
    }

    private static AuditEntry Entry(string id, DateTimeOffset at) => new() { At = at, RequestId = id, Kind = AuditKind.Api, Method = "GET", Path = "/", Reason = "allowed" };

    private static IReadOnlyList<AuditEntry> Read(TestGateway gateway) =>
        new SqliteAuditStore(SqliteFile.Open(gateway.Configuration.Settings.Store.File)).Read(0, DateTimeOffset.UnixEpoch, int.MaxValue);
}
