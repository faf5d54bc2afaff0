using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Gateway.Sandbox;

/// <summary>Sends signals. The program kill is missing where nothing but the system's base is installed.</summary>
internal static partial class ProcessSignal
{
    private const int HangUpNumber = 1;
    private const int InterruptNumber = 2;
    private const int TerminateNumber = 15;
    private const int ContinueNumber = 18;
    private const int StopNumber = 19;

    public static void HangUp(Process process) => Send(process, HangUpNumber);

    public static void Interrupt(Process process) => Send(process, InterruptNumber);

    public static void Terminate(Process process) => Send(process, TerminateNumber);

    /// <summary>Lets it do nothing until it is continued.</summary>
    public static void Stop(Process process) => Send(process, StopNumber);

    public static void Continue(Process process) => Send(process, ContinueNumber);

    private static void Send(Process process, int signal)
    {
        if (!process.HasExited)
        {
            _ = Kill(process.Id, signal);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);
}
