using System.Net;
using Gateway.Edge;

namespace Gateway.Tests.Edge;

/// <summary>Shares by key: used up alone, and never by somebody else.</summary>
[Trait("Category", "Fast")]
public sealed class TokenBucketsTests
{
    [Fact]
    public void EachKeyHasAShareOfItsOwn()
    {
        using var buckets = new TokenBuckets<string>(TimeProvider.System);
        Enumerable.Range(0, 5).Select(_ => buckets.Take("a", 3) is null).Should().Equal(true, true, true, false, false);
        buckets.Take("b", 3).Should().BeNull();
        buckets.Take("a", 3).Should().BeGreaterThan(TimeSpan.Zero);
    }

    [Fact]
    public void CheckingTakesNothing()
    {
        using var buckets = new TokenBuckets<string>(TimeProvider.System);
        Enumerable.Range(0, 5).Select(_ => buckets.Check("a", 1)).Should().OnlyContain(wait => wait == null);
        buckets.Take("a", 1).Should().BeNull();
        buckets.Check("a", 1).Should().NotBeNull();
    }

    [Fact]
    public void ZeroIsNoLimit()
    {
        using var buckets = new TokenBuckets<string>(TimeProvider.System);
        Enumerable.Range(0, 1000).Select(_ => buckets.Take("a", 0)).Should().OnlyContain(wait => wait == null);
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8::1:2:3:4", "2001:db8::")]
    public void AHouseholdIsOneAddress(string address, string group) =>
        RateLimits.GroupOf(IPAddress.Parse(address)).ToString().Should().Be(group);
}
