using Gateway.Cli;
using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary>What shells and readers of manuals get is made from the verbs themselves.</summary>
public sealed class ManualTests
{
    [Theory]
    [InlineData("bash", "complete -F _gateway gateway")]
    [InlineData("zsh", "compdef _gateway gateway")]
    [InlineData("fish", "complete -c gateway")]
    public async Task ShellsAreGivenWhatCompletesTheLine(string shell, string words)
    {
        (await Verb.RunAsync("completion", shell)).Output.Should().Contain(words).And.Contain("[suggest:");
        (await Verb.RunAsync("[suggest:11]", "gateway mig")).Output.Should().Contain("migrate-store").And.NotContain("serve");
    }

    [Fact]
    public void EveryVerbHasExamplesThatTheCommandLineUnderstands()
    {
        var root = CommandLine.Root();

        PathsOf(root, "gateway").Should().AllSatisfy(path =>
        {
            Examples.Of(path).Should().NotBeEmpty(path);
            Examples.Of(path).Should().AllSatisfy(line =>
            {
                line.Should().StartWith("gateway");
                root.Parse(line.Split(" > ")[0]["gateway".Length..].Trim()).Errors.Should().BeEmpty(line);
            });
        });
        (Examples.Of("gateway nothing").Count, PathsOf(root, "gateway").Count()).Should().Be((0, Examples.Count));

        static IEnumerable<string> PathsOf(System.CommandLine.Command verb, string path) =>
            verb.Subcommands.Where(one => !one.Hidden).SelectMany(one => PathsOf(one, $"{path} {one.Name}")).Prepend(path);
    }

    [Fact]
    public async Task HelpEndsWithTheExamplesOfItsVerb() =>
        (await Verb.RunAsync("users", "link", "--help")).Output.Should().EndWith("Examples:\n  gateway users link proxy:alice 7\n");

    [Theory]
    [InlineData("server.base_url", 0, "HEADTOWER_SERVER__BASE_URL")]
    [InlineData("oidc.client_secret", 0, "or a file: oidc.client_secret_path")]
    [InlineData("log", 0, "log.requests (default: false)")]
    [InlineData("server.base_ulr", 1, "did you mean 'server.base_url'?")]
    public async Task OneSettingIsExplained(string key, int exit, string words)
    {
        var result = await Verb.RunAsync("settings", key);

        (result.Exit, (result.Output + result.Error).Contains(words, StringComparison.Ordinal)).Should()
            .Be((exit, true), result.Output + result.Error);
    }

    [Fact]
    public async Task TheManualNamesEveryVerbAndOptionAndIsUnderstood()
    {
        var manual = (await Verb.RunAsync("man")).Output;

        manual.Should().StartWith(".TH GATEWAY 1").And.Contain(".SS gateway users set-role")
            .And.Contain(".B \\-\\-base\\-url").And.Contain(".SH EXIT STATUS");
        manual.Split('\n').Where(one => one.StartsWith('.')).Select(one => one.Split(' ')[0]).Distinct().Order().Should()
            .Equal(".B", ".I", ".IP", ".SH", ".SS", ".TH", ".TP");
    }
}
