using System.Diagnostics;

namespace Gateway.Tests.Support;

/// <summary>Another program, run to its end.</summary>
/// <param name="Said">What it wrote, errors last.</param>
internal sealed record ProgramRun(int Status, string Said)
{
    public static async Task<ProgramRun> OfAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new(process.ExitCode, text + await errors);
    }
}
