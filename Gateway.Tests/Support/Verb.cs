using System.Diagnostics;
using Gateway.Sandbox;

namespace Gateway.Tests.Support;

/// <summary>How a verb on the command line ended.</summary>
internal sealed record VerbResult(int Exit, string Output, string Error);

/// <summary>Runs the gateway's command line as its user does: as a process.</summary>
internal static class Verb
{
    public static Task<VerbResult> RunAsync(params string[] arguments) => RunAsync(arguments, []);

    /// <param name="input">What comes on standard input; null: nothing is said about that.</param>
    public static async Task<VerbResult> RunAsync(string[] arguments, (string Name, string Value)[] environment, string? input = null)
    {
        var start = GatewayProcess.Command(arguments);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        start.RedirectStandardInput = input is not null;
        using var process = Process.Start(start)!;
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }

        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return new VerbResult(process.ExitCode, await output, await error);
    }
}
