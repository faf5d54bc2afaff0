using Gateway.Settings;
using Gateway.Tests.Support;

namespace Gateway.Tests.Settings;

/// <summary>Trust lists: what they cover, in the fewest entries, and what about them is worth a word.</summary>
public sealed class NetworkChecksTests
{
    private const string Least = "headscale: {url: http://127.0.0.1:8080, api_key: k}\n";

    [Theory]
    [InlineData("10.0.0.0/8, 10.1.0.0/16", "10.0.0.0/8", "'10.1.0.0/16' lies inside another entry; in fewer words: [10.0.0.0/8]")]
    [InlineData("10.0.0.1, 10.0.0.1", "10.0.0.1/32", "'10.0.0.1' lies inside another entry")]
    [InlineData("192.168.0.0/24, 192.168.1.0/24", "192.168.0.0/23", null)]
    [InlineData("10.0.0.0/8, '::a00:0/104'", "10.0.0.0/8 ::10.0.0.0/104", null)]
    [InlineData("'2001:db8::/33', '2001:db8:8000::/33', 10.0.0.0/8", "10.0.0.0/8 2001:db8::/32", null)]
    [InlineData("10.0.0.1-10.0.0.6", "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32", null)]
    [InlineData("10.0.0.0-10.0.0.255", "10.0.0.0/24", null)]
    [InlineData("'2001:db8::1-2001:db8::2'", "2001:db8::1/128 2001:db8::2/128", null)]
    [InlineData("'2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'", "2001:db8::/32", null)]
    [InlineData("10.0.0.0/8, 10.0.0.1-10.0.0.6", "10.0.0.0/8", "'10.0.0.1-10.0.0.6' lies inside another entry")]
    public void AListIsReadAndSaysWhatIsNeedless(string list, string networks, string? warning)
    {
        var (settings, problems, _) = Some.Settings(Least + $"server: {{trusted_proxies: [{list}]}}");

        string.Join(' ', settings!.Server.TrustedProxies.Networks).Should().Be(networks);
        problems.Warnings.Should().SayOnly(warning);
    }

    [Theory]
    [InlineData("10.0.0.6-10.0.0.1")]
    [InlineData("10.0.0.1-::1")]
    [InlineData("10.0.0.1-")]
    [InlineData("10.0.0.1-10.0.0.1/8")]
    [InlineData("010.0.0.1-10.0.0.6")]
    [InlineData("10.0.0.1-10.0.0.06")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0#/8")]
    [InlineData("10/8")]
    [InlineData("/8")]
    public void TheStrictReaderStaysTheOnlyOne(string entry) =>
        Some.Settings(Least + $"server: {{trusted_proxies: ['{entry}']}}").Problems.Errors.Should().ContainSingle().Which.Should()
            .Contain($"'{entry}' is not a");

    [Theory]
    [InlineData("'0.0.0.0-255.255.255.255'")]
    [InlineData("0.0.0.0/1, 128.0.0.0/1")]
    [InlineData("'::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'")]
    public void EverybodyInOtherWordsIsEverybody(string list) =>
        Some.Settings(Least + $"server: {{trusted_proxies: [{list}]}}").Problems.Errors.Should().ContainSingle().Which.Should()
            .Contain("trusts every address there is");

    [Theory]
    [InlineData("10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/24 is in allowed_cidrs as well")]
    [InlineData("10.1.0.0/16", "10.0.0.0/8", "cover all of allowed_cidrs")]
    [InlineData("0.0.0.0/1", "'::/1'", null)]
    [InlineData("10.0.0.0/8", "192.168.0.1", null)]
    public void ListsThatOverlapAreNamedFamilyByFamily(string clients, string proxies, string? warning)
    {
        var problems = Some.Settings(
            Least + $"server: {{proxy_auth: {{enabled: true, ip_header: X-Forwarded-For, allowed_cidrs: [{clients}], "
                + $"trusted_proxy_cidrs: [{proxies}]}}}}").Problems;

        problems.Warnings.Should().SayOnly(warning);
    }

    [Fact]
    public void CollapsingChangesNobodysTrust()
    {
        var addresses = Enumerable.Range(0, 1 << 16).Select(one => new System.Net.IPAddress([10, 0, (byte)(one >> 8), (byte)one]))
            .ToArray();
        System.Net.IPNetwork[] networks = [.. Enumerable.Range(0, 200)
            .Select(one => new System.Net.IPNetwork(new System.Net.IPAddress([10, 0, (byte)(one * 7), (byte)(one * 16 % 256)]), 28))];
        var (before, after) = (new NetworkList(networks), new NetworkList(NetworkChecks.Collapse(networks)));

        addresses.Where(one => before.Contains(one) != after.Contains(one)).Should().BeEmpty();
        after.Networks.Count.Should().BeLessThan(networks.Length + 1);
    }
}
