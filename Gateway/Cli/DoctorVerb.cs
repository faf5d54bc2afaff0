using System.CommandLine;

namespace Gateway.Cli;

/// <summary><c>gateway doctor</c>: goes the way of a client through the front, and says what to change where.</summary>
internal static class DoctorVerb
{
    public static Command Create()
    {
        var verb = new Command("doctor", "Go the way of a client by the public address, and say what is wrong on it.") { CommandLine.Json };
        verb.SetAction(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (files, configuration, _))
        {
            return Output.Failed;
        }

        if (configuration.Settings.Server.BaseUrl is null)
        {
            return Output.Fail($"set server.base_url in {files.Config}: the way begins at the public address");
        }

        var (json, isWell) = (parsed.GetValue(CommandLine.Json), true);
        using var walk = new PublicWalk(configuration.Settings, files.Config);
        await foreach (var step in walk.GoAsync().WithCancellation(cancel))
        {
            isWell &= step.Result is not (WalkResult.Wrong or WalkResult.NotReached);
            if (json)
            {
                Output.Json(new DoctorLine(step.What, NameOf(step.Result), step.Advice), CliJson.Default.DoctorLine);
            }
            else
            {
                Console.WriteLine($"{NameOf(step.Result),-8} {step.What}");
                if (step.Advice.Length > 0)
                {
                    Console.WriteLine($"         {step.Advice}");
                }
            }
        }

        return isWell ? Output.Fine : Output.Failed;
    }

    private static string NameOf(WalkResult result) => result switch
    {
        WalkResult.Fine => "ok",
        WalkResult.Warning => "warning",
        WalkResult.Wrong => "WRONG",
        WalkResult.NotReached => "skipped",
        _ => throw new ArgumentOutOfRangeException(nameof(result)),
    };
}
