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

        (await gateway.CallAsAsync("alice", "DELETE", "/api/v1/node/17")).Status.Should().Be(200);

        var before = atThatMoment.Should().ContainSingle().Subject;
        (before.Actor, before.Role, before.Row, before.Method, before.Path, before.Reason).Should().Be(("proxy:alice", "owner", "nodes.delete", "DELETE", "/api/v1/node/17", "allowed"));
        before.Status.Should().BeNull();
        var after = (await gateway.StopAndReadAuditAsync()).Should().ContainSingle().Subject;
        (after.Status, after.Client).Should().Be(((int?, string?))(200, "127.0.0.1"));
        after.Duration.Should().NotBeNull();
    }

    [Fact]
    public async Task AnAnswerCarriesTheRequestIdOfItsEntryAndSoDoesTheCallToHeadscale()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As("alice");
        using var response = await client.GetAsync(new Uri("/api/v1/node?user=sam", UriKind.Relative));

        var id = response.Headers.GetValues("X-Request-Id").Should().ContainSingle().Subject;
        gateway.Headscale.Forwarded.Should().ContainSingle().Subject.Header("X-Request-Id").Should().Be(id);
        var entry = (await gateway.StopAndReadAuditAsync()).Should().ContainSingle().Subject;
        (entry.RequestId, entry.Path).Should().Be((id, "/api/v1/node"));
    }

    [Fact]
    public async Task WithoutAnAuditNothingIsChangedAndReadingGoesOn()
    {
        await using var gateway = await TestGateway.StartAsync();
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);
        gateway.Headscale.Forget();
        using (var breaking = new SqliteConnection($"Data Source={gateway.Configuration.Settings.Store.File}"))
        {
            breaking.Execute("alter table audit rename to gone");
        }

        var (status, text) = await gateway.CallAsAsync("alice", "DELETE", "/api/v1/node/17");

        status.Should().Be(503);
        text.Should().Contain("audit");
        gateway.Headscale.Forwarded.Should().BeEmpty();
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);
    }

    [Fact]
    public void OldEntriesGoAndYoungOnesStay()
    {
        using var folder = new TemporaryFolder();
        var store = new SqliteAuditStore(SqliteFile.Open(Path.Combine(folder.Path, "headtower.db")));
        var now = new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);
        store.Write([Entry("old", now.AddDays(-91)), Entry("young", now.AddDays(-89))], []);

        store.DeleteBefore(now.AddDays(-90)).Should().Be(1);
        store.Read(0, DateTimeOffset.UnixEpoch, 10).Should().ContainSingle().Subject.RequestId.Should().Be("young");
    }

    private static AuditEntry Entry(string id, DateTimeOffset at) => new() { At = at, RequestId = id, Kind = AuditKind.Api, Method = "GET", Path = "/", Reason = "allowed" };

    private static IReadOnlyList<AuditEntry> Read(TestGateway gateway) =>
        new SqliteAuditStore(SqliteFile.Open(gateway.Configuration.Settings.Store.File)).Read(0, DateTimeOffset.UnixEpoch, int.MaxValue);
}
