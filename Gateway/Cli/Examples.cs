using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Gateway.Cli;

/// <summary>How each verb is used, for its help and for the manual.</summary>
internal static class Examples
{
    private static readonly Dictionary<string, string[]> _byVerb = new(StringComparer.Ordinal)
    {
        ["gateway"] = ["gateway --config /etc/headtower/headtower.yaml", "gateway check --online", "gateway audit --since 1h --follow"],
        ["gateway serve"] = ["gateway serve --config /etc/headtower/headtower.yaml"],
        ["gateway check"] = ["gateway check", "gateway check --online --config /etc/headtower/headtower.yaml"],
        ["gateway init"] =
        [
            "gateway init",
            "gateway init --headscale 127.0.0.1:8080 --base-url https://headscale.example.com --front nginx --sign-in authelia "
                + "--owner alice --install",
        ],
        ["gateway doctor"] = ["gateway doctor", "gateway doctor --json"],
        ["gateway import"] = ["gateway import headplane --database /var/lib/headplane/hp_persist.db --dry-run"],
        ["gateway import headplane"] = ["gateway import headplane --database /var/lib/headplane/hp_persist.db --dry-run"],
        ["gateway settings"] = ["gateway settings", "gateway settings server.base_url", "gateway settings --schema settings"],
        ["gateway explain"] =
        [
            "gateway explain DELETE /api/v1/node/17 --user proxy:alice",
            "gateway explain POST /api/v1/preauthkey --role viewer --body request.json",
        ],
        ["gateway users"] = ["gateway users list", "gateway users set-role proxy:alice admin"],
        ["gateway users list"] = ["gateway users list", "gateway users list --json"],
        ["gateway users show"] = ["gateway users show proxy:alice", "gateway users show 3"],
        ["gateway users add"] = ["gateway users add --source proxy --subject alice --role viewer --headscale-user 7"],
        ["gateway users set-role"] = ["gateway users set-role proxy:alice admin"],
        ["gateway users unpin"] = ["gateway users unpin proxy:alice"],
        ["gateway users link"] = ["gateway users link proxy:alice 7"],
        ["gateway users unlink"] = ["gateway users unlink proxy:alice"],
        ["gateway users remove"] = ["gateway users remove proxy:alice"],
        ["gateway users transfer-ownership"] = ["gateway users transfer-ownership proxy:alice"],
        ["gateway sessions"] = ["gateway sessions list", "gateway sessions revoke 12"],
        ["gateway sessions list"] = ["gateway sessions list", "gateway sessions list --json"],
        ["gateway sessions revoke"] = ["gateway sessions revoke 12"],
        ["gateway tokens"] = ["gateway tokens create proxy:alice --name ci --role it_admin --days 90", "gateway tokens revoke 3"],
        ["gateway tokens list"] = ["gateway tokens list", "gateway tokens list --json"],
        ["gateway tokens create"] =
        [
            "gateway tokens create proxy:alice --name terraform --role network_admin --days 365",
            "gateway tokens create proxy:alice --name ci --role it_admin --from 10.0.0.0/8 --for keys.create",
        ],
        ["gateway tokens rotate"] = ["gateway tokens rotate 3", "gateway tokens rotate 3 --overlap 0"],
        ["gateway tokens revoke"] = ["gateway tokens revoke 3"],
        ["gateway audit"] =
            ["gateway audit --since 24h --changes", "gateway audit --user proxy:alice --refused", "gateway audit --device 17 --json"],
        ["gateway audit verify"] = ["gateway audit verify"],
        ["gateway backup"] = ["gateway backup /var/backups/headtower.db"],
        ["gateway restore"] = ["gateway restore /var/backups/headtower.db"],
        ["gateway migrate-store"] =
        [
            "gateway migrate-store litedb",
            "gateway migrate-store postgres --connection-path /etc/headtower/store-connection",
        ],
        ["gateway healthcheck"] = ["gateway healthcheck"],
        ["gateway completion"] = ["gateway completion bash > /etc/bash_completion.d/gateway"],
        ["gateway man"] = ["gateway man > /usr/local/share/man/man1/gateway.1"],
        ["gateway version"] = ["gateway version"],
    };

    /// <summary>How many verbs have some.</summary>
    public static int Count => _byVerb.Count;

    /// <summary>The lines for a verb, as they are typed.</summary>
    /// <param name="path">The verb with those above it, such as <c>gateway users list</c>.</param>
    public static IReadOnlyList<string> Of(string path) => _byVerb.GetValueOrDefault(path, []);

    /// <summary>Has every help end with the examples of its verb.</summary>
    public static void AddTo(RootCommand root)
    {
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            help.Action = new HelpThenExamples((SynchronousCommandLineAction)help.Action!);
        }
    }

    private static string PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } above ? $"{PathOf(above)} {command.Name}" : "gateway";

    private sealed class HelpThenExamples(SynchronousCommandLineAction help) : SynchronousCommandLineAction
    {
        /// <summary>Help is given without the arguments that the verb demands.</summary>
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var status = help.Invoke(parseResult);
            var lines = Of(PathOf(parseResult.CommandResult.Command));
            parseResult.InvocationConfiguration.Output.WriteLine($"Examples:\n  {string.Join("\n  ", lines)}");
            return status;
        }
    }
}
