using System.CommandLine;
using Gateway.Settings;

namespace Gateway.Cli;

/// <summary><c>gateway settings</c>: every setting with its default and its meaning.</summary>
internal static class SettingsVerb
{
    public static Command Create()
    {
        var verb = new Command("settings", "Explain every setting, as Markdown.");
        verb.SetAction(_ => Console.Write(Reference.Markdown()));
        return verb;
    }
}
