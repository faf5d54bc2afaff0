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
    public async Task TheManualNamesEveryVerbAndOptionAndIsUnderstood()
    {
        var manual = (await Verb.RunAsync("man")).Output;

        manual.Should().StartWith(".TH GATEWAY 1").And.Contain(".SS gateway users set-role")
            .And.Contain(".B \\-\\-base\\-url").And.Contain(".SH EXIT STATUS");
        manual.Split('\n').Where(one => one.StartsWith('.')).Select(one => one.Split(' ')[0]).Distinct().Order().Should()
            .Equal(".B", ".I", ".SH", ".SS", ".TH", ".TP");
    }
}
