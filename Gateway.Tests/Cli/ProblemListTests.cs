using Gateway.Cli;
using Gateway.Settings;
using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary>What <c>gateway check</c> shows of a file: the line and the place, and never a secret.</summary>
public sealed class ProblemListTests
{
    private const string Secret = "hskey-api-0123456789ab-never-shown";

    [Theory]
    [InlineData("  listen: 3000", "  listen: 3000")]
    [InlineData("  api_key: " + Secret, "  api_key: …")]
    [InlineData("  api_kye: " + Secret, "  api_kye: …")]
    [InlineData("  \"api_key\" : " + Secret, "  \"api_key\" : …")]
    [InlineData("headscale: {url: http://a, api_key: " + Secret + "}", "headscale: {url: http://a, api_key: …")]
    [InlineData("headscale: {\"api_key\": " + Secret + ", url: http://a}", "headscale: {\"api_key\": …")]
    [InlineData("  url: http://admin:" + Secret + "@hs:8080", "  url: http://…@hs:8080")]
    [InlineData("  - " + Secret, null)]
    [InlineData("    " + Secret, null)]
    [InlineData("? " + Secret, null)]
    [InlineData("", null)]
    [InlineData("\tlisten: 3000\u001b[31m", "\tlisten: 3000?[31m")]
    public void ALineOfTheSettingsIsShownUpToWhatMayBeSecret(string line, string? shown) =>
        ProblemList.Shown(line).Should().Be(shown);

    [Fact]
    public void WhatIsWrongComesInTheOrderOfTheLinesFileByFileWithAMarkBelow()
    {
        using var folder = new TemporaryFolder();
        var settings = folder.File("headtower.yaml", $"server:\n  listen: 3000\nheadscale:\n  api_kye: {Secret}\n");
        var routes = folder.File("routes.yaml", "roles: {}\nrules: 7\n");
        var problems = new Problems();
        problems.Warn("store", "no line");
        problems.Add($"{settings}:4:3: headscale.api_kye", "there is no such key");
        problems.Add($"{routes}:2:8: rules", "not a list");
        problems.Warn($"{settings}:2:3: server.listen", "hm");

        var lines = new List<string>();
        new ProblemList(settings, lines.Add, hasColor: false).Print(problems, ["all else"]);

        lines.Should().Equal(
            "fine: all else",
            $"warning: {settings}:2:3: server.listen: hm",
            "  2 |   listen: 3000",
            "    |   ^^^^^^",
            $"error: {settings}:4:3: headscale.api_kye: there is no such key",
            "  4 |   api_kye: …",
            "    |   ^^^^^^^",
            $"error: {routes}:2:8: rules: not a list",
            "  2 | rules: 7",
            "    |        ^",
            "warning: store: no line",
            "2 problem(s) found.");
    }

    [Fact]
    public void ColoursAreForTerminals()
    {
        var problems = new Problems();
        problems.Add("store", "broken");
        var (plain, colored) = (new List<string>(), new List<string>());

        new ProblemList("x", plain.Add, hasColor: false).Print(problems, []);
        new ProblemList("x", colored.Add, hasColor: true).Print(problems, []);

        plain.Should().NotContain(one => one.Contains('\e', StringComparison.Ordinal));
        colored[0].Should().Be("\e[31merror:\e[0m store: broken");
    }
}
