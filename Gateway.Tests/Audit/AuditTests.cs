using Gateway.Audit;
using Gateway.Store.Segments;
using Gateway.Tests.Support;

namespace Gateway.Tests.Audit;

/// <summary>What is written down, and when.</summary>
public sealed class AuditTests
{
    [Fact]
    public async Task AChangeIsInTheAuditBeforeHeadscaleHearsOfIt()
    {
        await using var gateway = await TestGateway.StartAsync();
        var atThatMoment = new List<AuditEntry>();
        gateway.Headscale.Receiving = _ =>
            atThatMoment.AddRange(new SegmentReader(gateway.Configuration.Settings.Audit.Folder).Read(AuditSearch.All, 0, 10, default));

        (await gateway.CallAsAsync("alice", "DELETE", "/api/v1/node/17")).Status.Should().Be(200);

        var before = atThatMoment.Should().ContainSingle().Subject;
        (before.Actor, before.Role, before.Row, before.Method, before.Path, before.Reason).Should()
            .Be(("proxy:alice", "owner", "nodes.delete", "DELETE", "/api/v1/node/17", "allowed"));
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
        // Where the files of these days should be, there is something else.
        using var folder = new TemporaryFolder();
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        foreach (var day in new[] { today, today.AddDays(1) })
        {
            Directory.CreateDirectory(Path.Combine(folder.Path, SegmentFile.NameOf(day)));
        }

        await using var gateway = await TestGateway.StartAsync(
            more: $"bootstrap: {{owner: proxy:alice}}\naudit: {{path: {folder.Path}, reads: each}}");
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);
        gateway.Headscale.Forget();

        var (status, text) = await gateway.CallAsAsync("alice", "DELETE", "/api/v1/node/17");

        status.Should().Be(503);
        text.Should().Contain("audit");
        gateway.Headscale.Forwarded.Should().BeEmpty();
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);
    }
}
