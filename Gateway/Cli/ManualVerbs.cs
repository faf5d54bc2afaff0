using System.CommandLine;
using System.Globalization;
using System.Text;
using Gateway.Settings;

namespace Gateway.Cli;

/// <summary><c>gateway man</c> and <c>gateway completion</c>, made from the verbs themselves.</summary>
internal static class ManualVerbs
{
    /// <summary>Each asks the program itself, which knows what fits where.</summary>
    private static readonly Dictionary<string, string> _shells = new(StringComparer.Ordinal)
    {
        ["bash"] = """
            _gateway() {
              local IFS=$'\n'
              COMPREPLY=($(compgen -W "$(gateway "[suggest:$COMP_POINT]" "$COMP_LINE" 2> /dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -F _gateway gateway

            """,
        ["zsh"] = """
            #compdef gateway
            _gateway() { compadd -- ${(f)"$(gateway "[suggest:${#BUFFER}]" "$BUFFER" 2> /dev/null)"} }
            compdef _gateway gateway

            """,
        ["fish"] = """
            complete -c gateway -f -a '(gateway "[suggest:"(string length (commandline))"]" (commandline) 2> /dev/null)'

            """,
    };

    private static readonly Argument<string> _shell = new("SHELL") { Description = "bash, zsh or fish" };

    /// <summary><c>gateway completion</c>.</summary>
    public static Command CreateCompletion()
    {
        var verb = new Command("completion", "Print what a shell needs to complete this command line.") { _shell };
        _shell.AcceptOnlyFromAmong([.. _shells.Keys]);
        verb.SetAction(parsed => Console.Write(_shells[parsed.GetValue(_shell)!].ReplaceLineEndings("\n")));
        return verb;
    }

    /// <summary><c>gateway man</c>.</summary>
    public static Command CreateManual(RootCommand root)
    {
        var verb = new Command("man", "Print the manual page (man(7)).");
        verb.SetAction(_ => Console.Write(Page(root)));
        return verb;
    }

    private static string Page(RootCommand root)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $".TH GATEWAY 1 \"\" \"Headtower {ProductVersion.Short}\"\n.SH NAME\ngateway \\- ");
        page.Append(CultureInfo.InvariantCulture, $"{Safe(root.Description!)}\n.SH SYNOPSIS\n.B gateway\n[verb] [options]\n.SH OPTIONS\n");
        AddOptions(page, root);
        AddExamples(page, "gateway");
        page.Append(".SH VERBS\n");
        Add(page, root, "gateway");
        page.Append(".SH EXIT STATUS\n0 fine, 1 a problem or failure, 2 wrong usage\n.SH FILES\n/etc/headtower/headtower.yaml\n");
        return page.ToString();
    }

    private static void Add(StringBuilder page, Command command, string path)
    {
        foreach (var verb in command.Subcommands.Where(one => !one.Hidden))
        {
            var arguments = string.Concat(verb.Arguments.Select(one => $" {one.Name}"));
            page.Append(CultureInfo.InvariantCulture, $".SS {path} {verb.Name}{arguments}\n{Safe(verb.Description ?? "")}\n");
            AddOptions(page, verb);
            AddExamples(page, $"{path} {verb.Name}");
            Add(page, verb, $"{path} {verb.Name}");
        }
    }

    private static void AddExamples(StringBuilder page, string path)
    {
        foreach (var line in Examples.Of(path))
        {
            page.Append(CultureInfo.InvariantCulture, $".IP\n{Safe(line)}\n");
        }
    }

    private static void AddOptions(StringBuilder page, Command command)
    {
        foreach (var argument in command.Arguments)
        {
            page.Append(CultureInfo.InvariantCulture, $".TP\n.I {Safe(argument.Name)}\n{Safe(argument.Description ?? "")}\n");
        }

        foreach (var option in command.Options.Where(one => !one.Hidden))
        {
            page.Append(CultureInfo.InvariantCulture, $".TP\n.B {Safe(option.Name)}\n{Safe(option.Description ?? "")}\n");
        }
    }

    /// <summary>A line that begins with a dot is a command of its own, and a hyphen is another sign than a minus.</summary>
    private static string Safe(string text) =>
        text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal)
            .Replace("\n.", "\n\\&.", StringComparison.Ordinal);
}
