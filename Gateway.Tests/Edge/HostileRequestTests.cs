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

        Assert.Empty(wrong);
    }

    [Fact]
    public void TheyAreReadAsTheyWereWritten()
    {
        Assert.Equal(236, HostileRequest.All.Count);
        Assert.All(HostileRequest.All, one => Assert.True(one.Bytes.Length > 16 && one.Statuses.Count > 0, one.Name));
        Assert.True(HostileRequest.All.Count(one => one.Parts is not null) > 180);
    }
}
