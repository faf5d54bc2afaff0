using Gateway.Tests.Support;

namespace Gateway.Tests.Edge;

/// <summary>What attackers sent to others like us, and what came of it here.</summary>
public sealed class HostileRequestTests
{
    public static TheoryData<string> Classes => [.. HostileRequest.All.Select(one => one.Class).Distinct()];

    [Theory]
    [MemberData(nameof(Classes))]
    public async Task NoneOfThemGetsPastTheGateway(string kind)
    {
        await using var guarded = await GuardedGateway.StartAsync();
        var wrong = new List<string>();
        foreach (var request in HostileRequest.All.Where(one => one.Class == kind))
        {
            guarded.Gateway.Headscale.Forget();
            var answer = await guarded.SendAsync(request);
            wrong.AddRange(request.Judge(GuardedGateway.StatusesOf(answer), answer, guarded.Gateway.Headscale.Forwarded));
        }

        wrong.Should().BeEmpty();
    }

    [Fact]
    public void TheyAreReadAsTheyWereWritten()
    {
        HostileRequest.All.Count.Should().Be(236);
        HostileRequest.All.Should().AllSatisfy(one => (one.Bytes.Length > 16 && one.Statuses.Count > 0).Should().BeTrue(one.Name));
        (HostileRequest.All.Count(one => one.Parts is not null) > 180).Should().BeTrue();
    }
}
